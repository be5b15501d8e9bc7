/**
 * Signatures of requests, both ways: `t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>`. The time stands in what is
 * signed, so that an old request cannot be sent again later.
 */
export async function sign(secret: string, body: string, nowMs: number): Promise<string> {
  const seconds = Math.floor(nowMs / 1000)
  return `t=${seconds},v1=${await mac(secret, `${seconds}.${body}`)}`
}

export type SignatureFault = "missing" | "malformed" | "stale" | "wrong"

/** Undefined where it is right: signed with the secret, and no further from `nowMs` than the window. */
export async function signatureFault(
  header: string | null,
  check: { readonly secret: string; readonly body: string; readonly nowMs: number; readonly windowMs: number },
): Promise<SignatureFault | undefined> {
  if (header === null) return "missing"
  const found = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header.trim())
  if (found === null) return "malformed"
  const [, seconds = "", given = ""] = found
  const expected = await mac(check.secret, `${seconds}.${check.body}`)
  if (!isSame(given, expected)) return "wrong"
  return Math.abs(check.nowMs - Number(seconds) * 1000) > check.windowMs ? "stale" : undefined
}

async function mac(secret: string, text: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", bytes(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(text))).toHex()
}

/** Takes the same time wherever they differ. Both are hex of one length. */
function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}
