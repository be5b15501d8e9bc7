import { afterAll, expect, test } from "bun:test"
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { MasterKeys } from "../../core/server/sources/master-keys.ts"
import { Vault } from "../../core/server/sources/vault.ts"
import { readSettings, Settings } from "../settings.ts"
import { addKey, makeKeyFile, newKeyText, readKeys } from "./master-key-file.ts"
import { masterKeysLayer } from "./master-keys.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-keys-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let homes = 0
const newHome = () => join(folder, `home${++homes}`)

function withKeys<A, E>(environment: Record<string, string>, work: Effect.Effect<A, E, MasterKeys | Vault>) {
  const settings = Layer.succeed(Settings, readSettings(environment, folder, false))
  const layer = Vault.layer.pipe(Layer.provideMerge(masterKeysLayer), Layer.provide(settings))
  return Effect.runPromise(Effect.provide(work, layer))
}
const ids = Effect.flatMap(MasterKeys, ({ all }) => Effect.map(all, (keys) => keys.map(({ id }) => id)))
const refusal = (environment: Record<string, string>) =>
  withKeys(environment, ids).then(
    () => "no refusal",
    (error: Error) => error.message,
  )

test("master-keys makes a key at the first start that nobody else can read, and keeps it", async () => {
  const home = newHome()
  const first = await withKeys({ HEADRACE_HOME: home }, ids)
  expect(first).toHaveLength(1)
  expect(statSync(join(home, "master.key")).mode & 0o777).toBe(0o600)
  expect(await withKeys({ HEADRACE_HOME: home }, ids)).toEqual(first)
  chmodSync(join(home, "master.key"), 0o640)
  expect(await refusal({ HEADRACE_HOME: home })).toBe(`Others can read the master key in "${join(home, "master.key")}"`)
})

test("master-keys takes keys from the environment or from a file, and says what is wrong with them", async () => {
  const [older, newer] = [newKeyText(), newKeyText()]
  const both = await withKeys({ HEADRACE_MASTER_KEY: `${newer}, ${older}` }, ids)
  expect(both).toHaveLength(2)
  expect(await withKeys({ HEADRACE_MASTER_KEY: older }, ids)).toEqual([both[1]!])
  const file = join(folder, "keys")
  writeFileSync(file, `# newest first\n${newer}\n\n${older} # old\n${older}\n`)
  expect(await withKeys({ HEADRACE_MASTER_KEY_FILE: file }, ids)).toEqual(both)
  for (const [text, fault] of [
    ["abc", "key 1 of 1 is not 32 bytes in base64"],
    [`${newer}\n${older.slice(4)}`, "key 2 of 2 is not 32 bytes in base64"],
    ["# nothing", "it holds no key"],
  ] as const) {
    const message = await refusal({ HEADRACE_MASTER_KEY: text })
    expect(message).toBe(`Cannot use the master key in HEADRACE_MASTER_KEY: ${fault}`)
    expect(message).not.toContain(newer)
  }
  expect(await refusal({ HEADRACE_MASTER_KEY: newer, HEADRACE_MASTER_KEY_FILE: file })).toContain("Both")
  expect(await refusal({ HEADRACE_MASTER_KEY_FILE: join(folder, "none") })).toContain("ENOENT")
})

test("master-keys follows its file while the server runs, and holds on to what it knew when that breaks", async () => {
  const home = newHome()
  const file = join(home, "master.key")
  makeKeyFile(file)
  await withKeys(
    { HEADRACE_HOME: home },
    Effect.gen(function* () {
      const vault = yield* Vault
      const before = yield* ids
      const sealed = yield* vault.seal("geheim", "here")
      addKey(file)
      const after = yield* ids
      expect(after).toEqual([after[0]!, ...before])
      expect((yield* vault.seal("geheim", "here")).split(".")[1]).toBe(after[0]!)
      expect(vault.isOld(sealed)).toBe(true)
      writeFileSync(file, "spoilt")
      expect(yield* ids).toEqual(after)
      rmSync(file)
      expect(yield* ids).toEqual(after)
      expect(yield* vault.open(sealed, "here")).toBe("geheim")
    }),
  )
})

test("master-key-file makes no second file where somebody else was faster, and adds keys before the others", () => {
  const file = join(newHome(), "master.key")
  makeKeyFile(file)
  const first = readFileSync(file, "utf8")
  makeKeyFile(file)
  expect(readFileSync(file, "utf8")).toBe(first)
  chmodSync(file, 0o400)
  addKey(file)
  const [newest, older] = readKeys(readFileSync(file, "utf8")) as readonly Uint8Array[] // it was just written
  expect(first).toContain(older!.toBase64())
  expect(newest).not.toEqual(older)
  expect(statSync(file).mode & 0o777).toBe(0o400)
})
