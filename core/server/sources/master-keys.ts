import { Context, type Effect } from "effect"

/** A key that seals secrets. It never leaves the process. */
export interface MasterKey {
  /** Tells which key it is, and nothing of what it is. */
  readonly id: string
  readonly key: CryptoKey
}

/** The keys that this server knows, newest first: it seals with the first and opens with any. They may change while it runs. */
export class MasterKeys extends Context.Service<
  MasterKeys,
  { readonly all: Effect.Effect<readonly [MasterKey, ...MasterKey[]]> }
>()("core/server/sources/MasterKeys") {}

/** Bytes of a master key. */
export const KEY_BYTES = 32

/** Makes a key of 32 bytes; nothing can read them back from it. */
export async function masterKeyOf(bytes: Uint8Array<ArrayBuffer>): Promise<MasterKey> {
  const named = new Uint8Array([...new TextEncoder().encode("headrace master key\n"), ...bytes])
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", named))
  const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"])
  return { id: digest.slice(0, 6).toHex(), key }
}
