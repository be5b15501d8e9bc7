import { relative, resolve } from "node:path"
import { Effect } from "effect"
import { bytesOf, flowPath, hashOfBytes, openPulledFlows, writeWhole } from "../remote/flow-files.ts"
import { type Server, ServerError, unreachable } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import { onDisk } from "./flows-push.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"

export interface PullOptions {
  readonly folder: string
  readonly force: boolean
}

/** Writes a flow of the server to a file of its name, unless that would lose changes. */
export const pull = Effect.fnUntraced(function* (server: Server, name: string, { folder, force }: PullOptions) {
  const screen = yield* Screen
  const { cwd, home } = yield* Settings
  const place = flowPath(resolve(cwd, folder), name)
  if ("fault" in place) return yield* usage(`Cannot write flow "${name}" to a file: ${place.fault}`)
  const { path } = place
  const shown = relative(cwd, path)
  const { bytes, version } = yield* documentOf(server, name)
  const pulled = openPulledFlows(home)
  const present = yield* onDisk("read", shown, () => bytesOf(path))
  const known = yield* onDisk("read", "pulled.json", () => pulled.find(server.url, path))
  const hash = hashOfBytes(bytes)
  const presentHash = present === undefined ? undefined : hashOfBytes(present)
  const isSafe = presentHash === undefined || presentHash === hash || presentHash === known?.hash
  if (!isSafe && !force)
    return yield* usage(
      `File "${shown}" has changes that are not on the server`,
      `"headrace flows diff ${shown}" shows them; push them, or lose them with --force`,
    )
  if (presentHash !== hash) yield* onDisk("write", shown, () => writeWhole(path, bytes))
  yield* onDisk("write", "pulled.json", () => pulled.keep(server.url, path, { flow: name, version, hash }))
  const word = presentHash === hash ? "is as on the server" : "written"
  screen.say(`${shown} ${word}, version ${version}`)
})

/** Every name that the server has. */
export const allNames = Effect.fnUntraced(function* (server: Server) {
  return (yield* allFlows(server)).map(({ name }) => name)
})

export const allFlows = Effect.fnUntraced(function* (server: Server, filter: { text?: string; folder?: string } = {}) {
  const found = []
  let after: string | undefined
  do {
    const query = { ...filter, limit: 200, ...(after === undefined ? {} : { after }) }
    const { items, next } = yield* server.call("GET /flows", { query })
    found.push(...items)
    after = next
  } while (after !== undefined)
  return found
})

const documentOf = Effect.fnUntraced(function* (server: Server, name: string) {
  const response = yield* server.open("GET /flows/:name/document", { params: { name } })
  const bytes = yield* Effect.tryPromise({
    try: async () => new Uint8Array(await response.arrayBuffer()),
    catch: (error) => unreachable(server.url, error),
  })
  const [, version] = /^(?:W\/)?"(\d{1,9})"$/.exec(response.headers.get("etag") ?? "") ?? []
  if (version === undefined)
    return yield* new ServerError({
      status: 0,
      message: `"${server.url}" does not say which version of "${name}" it gave`,
    })
  return { bytes, version: Number(version) }
})
