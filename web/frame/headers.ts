/** Answers of the API hold nothing that a browser should keep or show by itself. */
const api = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cross-origin-resource-policy": "same-origin",
}

/** Pages run their own files and nothing else; what must be inline needs a policy with a nonce of its own. */
export function pagePolicy(nonce?: string): string {
  const inline = nonce === undefined ? "" : ` 'nonce-${nonce}'`
  return [
    "default-src 'none'",
    `script-src 'self'${inline}`,
    `style-src 'self'${inline}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ")
}

const everywhere = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

/** Adds what every answer says to browsers; what an answer has said already stays. */
export function protect(response: Response, kind: "api" | "page", isSecure: boolean): Response {
  const headers = new Headers(response.headers)
  const more = kind === "api" ? api : { "content-security-policy": pagePolicy() }
  for (const [name, value] of Object.entries({ ...everywhere, ...more }))
    if (!headers.has(name)) headers.set(name, value)
  if (isSecure) headers.set("strict-transport-security", "max-age=31536000")
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers })
}
