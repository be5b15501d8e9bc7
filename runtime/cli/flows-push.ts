import { resolve } from "node:path"
import { Effect } from "effect"
import { bytesOf, flowOfFile, hashOfBytes, openPulledFlows } from "../remote/flow-files.ts"
import { type Server, ServerError } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import { differenceLines, versionLine } from "./flows-text.ts"
import { placed, problemText } from "./problem-text.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"

export interface PushOptions {
  readonly force: boolean
  readonly folder: string | undefined
  readonly remark: string | undefined
}

/** A file as a flow of its name, with the flow that the server has under it. */
export const compared = Effect.fnUntraced(function* (server: Server, file: string) {
  const { cwd } = yield* Settings
  const path = resolve(cwd, file)
  const named = flowOfFile(path)
  if ("fault" in named) return yield* usage(`Cannot take "${file}" for a flow: ${named.fault}`, "Rename the file")
  const { name } = named
  const bytes = yield* onDisk("read", file, () => bytesOf(path))
  if (bytes === undefined) return yield* usage(`Cannot read "${file}": there is no such file`)
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  return { path, name, bytes, text, current: yield* flowOf(server, name) }
})

/** Saves a file on the server, unless the flow was changed there since it was pulled. */
export const push = Effect.fnUntraced(function* (server: Server, file: string, options: PushOptions) {
  const screen = yield* Screen
  const { home } = yield* Settings
  const { path, name, bytes, text, current } = yield* compared(server, file)
  const pulled = openPulledFlows(home)
  const known = yield* onDisk("read", "pulled.json", () => pulled.find(server.url, path))
  const follows = known?.flow === name ? known.version : undefined
  const keep = (version: number) =>
    onDisk("write", "pulled.json", () =>
      pulled.keep(server.url, path, { flow: name, version, hash: hashOfBytes(bytes) }),
    )
  if (current?.document === text) {
    yield* keep(current.version)
    return screen.say(`"${name}" is what the server has, version ${current.version}`)
  }
  if (current === undefined && follows !== undefined && !options.force)
    return yield* usage(
      `Flow "${name}" is not on the server any more: it was removed or renamed since version ${follows}`,
      "With --force it is made anew",
    )
  if (current !== undefined && current.version !== follows && !options.force)
    return yield* stale(server, { file, name, follows, version: current.version })
  const { folder, remark } = options
  const saved = yield* server
    .call("PUT /flows/:name/document", {
      params: { name },
      query: { ...(folder === undefined ? {} : { folder }), ...(remark === undefined ? {} : { remark }) },
      bytes,
      headers: current === undefined ? { "if-none-match": "*" } : { "if-match": `"${current.version}"` },
    })
    .pipe(
      // Somebody was faster, between the look and the change.
      Effect.catchIf(
        ({ status }) => status === 409 && current !== undefined,
        (error) =>
          Effect.flatMap(flowOf(server, name), (now) =>
            now === undefined ? Effect.fail(error) : stale(server, { file, name, follows, version: now.version }),
          ),
      ),
    )
  yield* keep(saved.version)
  screen.say(`${screen.style.green("saved")} "${name}", version ${saved.version}`)
  for (const fault of saved.faults) screen.say(problemText(placed(fault), "warning", screen.style))
})

interface Stale {
  readonly file: string
  readonly name: string
  /** The version that the file was made from, if that is known. */
  readonly follows: number | undefined
  /** The one that the server has. */
  readonly version: number
}

/** Says what has happened to a flow since its file was pulled. */
const stale = Effect.fnUntraced(function* (server: Server, { file, name, follows, version }: Stale) {
  const screen = yield* Screen
  const params = { name }
  if (follows !== undefined) {
    const { items } = yield* server.call("GET /flows/:name/versions", { params, query: { limit: MOST_VERSIONS } })
    for (const each of items.filter((one) => one.version > follows).toReversed()) screen.say(versionLine(each))
    const query = { from: follows, to: version }
    // A flow that was removed and made anew has no such version.
    const changes = yield* Effect.option(server.call("GET /flows/:name/compare", { params, query }))
    if (changes._tag === "Some") for (const line of differenceLines(changes.value)) screen.say(`  ${line}`)
  }
  const since = follows === undefined ? "this file was not pulled from there" : `the file follows version ${follows}`
  return yield* new ServerError({
    status: 409,
    message: `Flow "${name}" is at version ${version} on the server, and ${since}`,
    hint: `"headrace flows diff ${file}" shows what is different; flows pull takes the server's, --force saves yours`,
  })
})

/** Undefined where there is none. */
export const flowOf = (server: Server, name: string) =>
  server.call("GET /flows/:name", { params: { name } }).pipe(
    Effect.catchIf(
      ({ status }) => status === 404,
      () => Effect.succeed(undefined),
    ),
  )

/** Work with files, whose failures are told as such. */
export function onDisk<A>(verb: "read" | "write", file: string, work: () => A) {
  return Effect.try({
    try: work,
    catch: (error) => {
      const { code, message } = error as { code?: string; message: string } // of the file system
      return usage(`Cannot ${verb} "${file}": ${CAUSES[code ?? ""] ?? code ?? message}`)
    },
  })
}

const CAUSES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long for this file system",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is a file",
}

const MOST_VERSIONS = 20
