import { Context, Effect, Layer } from "effect"
import { type RequestError, refuse } from "../request-error.ts"
import { MasterKeys } from "./master-keys.ts"

/**
 * Seals secrets before they go to the store: AES-256-GCM under a master key that is never in the store. Sealed text names
 * its key, so that keys can be changed while both are known. `place` binds it to where it stands: moved elsewhere, it
 * cannot be opened.
 */
export class Vault extends Context.Service<
  Vault,
  {
    seal(secret: string, place: string): Effect.Effect<string>
    /** Fails with `unavailable` where its key is not known any more, or where the text was tampered with. */
    open(sealed: string, place: string): Effect.Effect<string, RequestError>
    isSealed(text: string): boolean
    /** True for text under another key than the one that seals now. */
    isOld(sealed: string): boolean
  }
>()("core/server/sources/Vault") {
  static readonly layer = Layer.effect(
    Vault,
    Effect.gen(function* () {
      const keys = yield* MasterKeys
      /** Id of the newest key when it was last looked. */
      let newest: string
      const known = Effect.map(keys.all, (all) => {
        newest = all[0].id
        return all
      })
      yield* known

      const seal = Effect.fnUntraced(function* (secret: string, place: string) {
        const [{ id, key }] = yield* known
        const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
        const bytes = new TextEncoder().encode(secret)
        const options = { name: "AES-GCM", iv, additionalData: additionalData(id, place) }
        const sealed = yield* Effect.promise(() => crypto.subtle.encrypt(options, key, bytes))
        return [FORM, id, spell(iv), spell(new Uint8Array(sealed))].join(".")
      })

      const open = Effect.fnUntraced(function* (text: string, place: string) {
        const parts = readSealed(text)
        if (parts === undefined)
          return yield* refuse("unavailable", `Cannot open the secret of ${place}: it is damaged`)
        const found = (yield* known).find(({ id }) => id === parts.id)
        if (found === undefined) {
          return yield* refuse(
            "unavailable",
            `Cannot open the secret of ${place}: master key ${parts.id} is not known`,
            {
              hint: "Give that key back to the server, or enter the secret again",
            },
          )
        }
        const options = { name: "AES-GCM", iv: parts.iv, additionalData: additionalData(parts.id, place) }
        const bytes = yield* Effect.tryPromise({
          try: () => crypto.subtle.decrypt(options, found.key, parts.sealed),
          catch: () =>
            refuse("unavailable", `Cannot open the secret of ${place}: it was altered, or brought from elsewhere`, {
              hint: "Enter the secret again",
            }),
        })
        return new TextDecoder().decode(bytes)
      })

      return Vault.of({
        seal,
        open,
        isSealed: (text) => readSealed(text) !== undefined,
        isOld: (sealed) => readSealed(sealed)?.id !== newest,
      })
    }),
  )
}

/** Of this layout. */
const FORM = "hrs1"
const IV_BYTES = 12
const TAG_BYTES = 16
const SEALED = /^hrs1\.([\da-f]{12})\.([\w-]{16})\.([\w-]{22,})$/

function readSealed(text: string) {
  const [, id, iv, sealed] = SEALED.exec(text) ?? []
  if (id === undefined || iv === undefined || sealed === undefined) return undefined
  // A count of letters that bytes never have.
  if (sealed.length % 4 === 1) return undefined
  const bytes = { id, iv: unspell(iv), sealed: unspell(sealed) }
  return bytes.sealed.length < TAG_BYTES ? undefined : bytes
}

/** What the seal vouches for beside the secret: its layout, its key, its place. */
function additionalData(id: string, place: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${FORM}.${id}.${place}`)
}

function spell(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true })
}

function unspell(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" })
}
