/** Identity of something new: UUID of version 7, so that ids grow with time (RFC 9562, 5.7). */
export function makeId(now: number): string {
  const time = now.toString(16).padStart(12, "0")
  const random = crypto.randomUUID()
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15, 18)}-${random.slice(19)}`
}

/** Something that only its holder knows: 256 random bits, as URL-safe text behind a prefix that tells what it is. */
export function makeSecret(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `${prefix}_${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`
}

/** SHA-256 in hex: what is kept of a secret that was made here. */
export async function hashOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex()
}
