import { expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { KEY_BYTES, type MasterKey, MasterKeys, masterKeyOf } from "./master-keys.ts"
import { Vault } from "./vault.ts"

const old = await masterKeyOf(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))
const newer = await masterKeyOf(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))

function withKeys<A, E>(keys: readonly [MasterKey, ...MasterKey[]], work: Effect.Effect<A, E, Vault>): Promise<A> {
  const layer = Vault.layer.pipe(Layer.provide(Layer.succeed(MasterKeys, { all: Effect.succeed(keys) })))
  return Effect.runPromise(work.pipe(Effect.provide(layer)))
}

const seal = (text: string, place = "here") => Effect.flatMap(Vault, (vault) => vault.seal(text, place))
const open = (text: string, place = "here") => Effect.flatMap(Vault, (vault) => vault.open(text, place))
const refusalOf = (text: string, place = "here") => Effect.flip(open(text, place))

test("vault opens what it has sealed, and seals nothing alike twice", async () => {
  for (const secret of ["", "geheim", "é\u0000\ud83d\ude00", "x".repeat(100_000)]) {
    const sealed = await withKeys([old], seal(secret))
    expect(sealed).toMatch(/^hrs1\.[\da-f]{12}\.[\w-]{16}\.[\w-]+$/)
    if (secret.length > 3) expect(sealed).not.toContain(secret)
    expect(await withKeys([old], open(sealed))).toBe(secret)
    expect(await withKeys([old], seal(secret))).not.toBe(sealed)
  }
})

test("vault refuses sealed text that was brought to another place", async () => {
  const sealed = await withKeys([old], seal("geheim", "source a, prod, password"))
  const refusal = await withKeys([old], refusalOf(sealed, "source b, prod, password"))
  expect(refusal).toMatchObject({ reason: "unavailable" })
  expect(refusal.message).toContain("altered, or brought from elsewhere")
  expect(JSON.stringify(refusal)).not.toContain("geheim")
})

test("vault refuses sealed text of which any letter was changed", async () => {
  const sealed = await withKeys([old, newer], seal("geheim"))
  for (let at = 0; at < sealed.length; at++) {
    const letter = sealed[at] === "A" ? "B" : "A"
    const altered = `${sealed.slice(0, at)}${letter}${sealed.slice(at + 1)}`
    // The last letter of base64 may hold bits that mean nothing.
    const result = await withKeys([old, newer], Effect.result(open(altered)))
    if (result._tag === "Success") expect([at, result.success]).toEqual([sealed.length - 1, "geheim"])
  }
  for (const text of ["", "hrs1", sealed.slice(0, -8), `${sealed}A`, `${sealed}=`, sealed.replace("hrs1", "hrs2")])
    expect(await withKeys([old], refusalOf(text))).toMatchObject({ reason: "unavailable" })
  const renamed = sealed.replace(old.id, newer.id)
  expect((await withKeys([old, newer], refusalOf(renamed))).message).toContain("altered")
})

test("vault knows which key has sealed, and which seals are old", async () => {
  const sealed = await withKeys([old], seal("geheim"))
  const missing = await withKeys([newer], refusalOf(sealed))
  expect(missing.message).toContain(`master key ${old.id} is not known`)
  const isOld = (text: string) => Effect.map(Vault, (vault) => vault.isOld(text))
  expect(await withKeys([newer, old], isOld(sealed))).toBe(true)
  const again = await withKeys(
    [newer, old],
    Effect.flatMap(open(sealed), (text) => seal(text)),
  )
  expect(await withKeys([newer, old], isOld(again))).toBe(false)
  expect(await withKeys([newer], open(again))).toBe("geheim")
})

test("vault tells sealed text from other text", async () => {
  const sealed = await withKeys([old], seal("geheim"))
  const isSealed = (text: string) =>
    withKeys(
      [old],
      Effect.map(Vault, (vault) => vault.isSealed(text)),
    )
  expect(await isSealed(sealed)).toBe(true)
  for (const text of ["", "geheim", "hrs1.a.b.c", ` ${sealed}`, `${sealed}\n`]) expect(await isSealed(text)).toBe(false)
})

test("master-keys gives a key that nobody can read back", async () => {
  expect(old.key.extractable).toBe(false)
  await expect(crypto.subtle.exportKey("raw", old.key)).rejects.toThrow()
  expect(JSON.stringify(old)).toBe(`{"id":"${old.id}","key":{}}`)
})
