/**
 * Identity of something new: UUID of version 7, so that ids grow with time (RFC 9562, 5.7). Those that one process makes
 * in the same millisecond grow too, as long as they are few: a counter that begins somewhere at random (6.2, method 1).
 */
export function makeId(now: number): string {
  count = now === latest ? Math.min(count + 1, 0xfff) : crypto.getRandomValues(new Uint16Array(1))[0]! & 0x7ff
  latest = now
  const time = now.toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count.toString(16).padStart(3, "0")}-${crypto.randomUUID().slice(19)}`
}

let latest = -1
let count = 0

/** Something that only its holder knows: 256 random bits, as URL-safe text behind a prefix that tells what it is. */
export function makeSecret(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `${prefix}_${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`
}

/** SHA-256 in hex: what is kept of a secret that was made here. */
export async function hashOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex()
}
