import { readFileSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { Effect, Layer } from "effect"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import { type MasterKey, MasterKeys, masterKeyOf } from "../../core/server/sources/master-keys.ts"
import { Settings } from "../settings.ts"
import { makeKeyFile, readKeys } from "./master-key-file.ts"

/** Where this server has its keys from. */
export type KeyPlace =
  | { readonly kind: "environment"; readonly text: string }
  /** `isOwn`: Headrace makes it, and wants it to be private. */
  | { readonly kind: "file"; readonly path: string; readonly isOwn: boolean }

export function keyPlace({ environment, home, cwd }: Settings["Service"]): KeyPlace | FlowError {
  const { HEADRACE_MASTER_KEY: text = "", HEADRACE_MASTER_KEY_FILE: path = "" } = environment
  if (text !== "" && path !== "") {
    const message = "Both HEADRACE_MASTER_KEY and HEADRACE_MASTER_KEY_FILE are set"
    return flowError([{ message, hint: "Set one of them" }])
  }
  if (text !== "") return { kind: "environment", text }
  return path === ""
    ? { kind: "file", path: join(home, "master.key"), isOwn: true }
    : { kind: "file", path: resolve(cwd, path), isOwn: false }
}

type Keys = readonly [MasterKey, ...MasterKey[]]

/** The keys of this server; of a file they are read again when it changes. */
export const masterKeysLayer: Layer.Layer<MasterKeys, FlowError, Settings> = Layer.effect(
  MasterKeys,
  Effect.gen(function* () {
    const place = keyPlace(yield* Settings)
    if (place instanceof Error) return yield* place
    if (place.kind === "environment") {
      const keys = yield* importKeys(place.text, "HEADRACE_MASTER_KEY")
      return MasterKeys.of({ all: Effect.succeed(keys) })
    }
    let known = yield* readFile(place)
    const again = Effect.suspend(() => {
      const stamp = stampOf(place.path)
      return stamp === undefined || stamp === known.stamp ? Effect.succeed(known) : readFile(place)
    })
    return MasterKeys.of({
      all: again.pipe(
        Effect.catch((error) => Effect.as(Effect.logWarning(`${error.message}; the keys read before hold`), known)),
        Effect.map((read) => {
          known = read
          return read.keys
        }),
      ),
    })
  }),
)

const readFile = Effect.fnUntraced(function* ({ path, isOwn }: KeyPlace & { readonly kind: "file" }) {
  const stamp = stampOf(path)
  if (stamp === undefined && isOwn) yield* Effect.try({ try: () => makeKeyFile(path), catch: cannot("make", path) })
  const text = yield* Effect.try({
    try: () => {
      const { mode } = statSync(path)
      return { text: readFileSync(path, "utf8"), isShared: (mode & 0o077) !== 0 }
    },
    catch: cannot("read", path),
  })
  if (text.isShared && isOwn) {
    const message = `Others can read the master key in "${path}"`
    const hint = `Run chmod 600 "${path}"; if somebody may have read it, also "headrace keys rotate"`
    return yield* flowError([{ message, hint }])
  }
  return { keys: yield* importKeys(text.text, `"${path}"`), stamp: stamp ?? stampOf(path) }
})

const importKeys = Effect.fnUntraced(function* (text: string, where: string): Effect.fn.Return<Keys, FlowError> {
  const read = readKeys(text)
  if ("fault" in read) {
    const hint = "Write 32 random bytes in base64, such as openssl rand -base64 32 prints; the newest key first"
    return yield* flowError([{ message: `Cannot use the master key in ${where}: ${read.fault}`, hint }])
  }
  const [first, ...others] = read
  return yield* Effect.promise(
    async (): Promise<Keys> => [await masterKeyOf(first), ...(await Promise.all(others.map(masterKeyOf)))],
  )
})

/** Tells one content of a file from another. */
function stampOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.ino} ${found.size} ${found.mtimeNs}`
}

function cannot(action: string, path: string) {
  return (error: unknown) => {
    const { code = "unknown error" } = error as { code?: string } // of the file system
    return flowError([{ message: `Cannot ${action} the master key "${path}": ${code}` }])
  }
}
