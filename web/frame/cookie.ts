/** The prefix makes browsers refuse the cookie from anywhere else, and without encryption. */
export function cookieName(isSecure: boolean): string {
  return isSecure ? "__Host-headrace" : "headrace"
}

/** The secret of the session that a request shows. */
export function sessionCookie(request: Request, isSecure: boolean): string | undefined {
  const name = cookieName(isSecure)
  for (const each of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, value] = each.trim().split("=", 2)
    if (key === name && value !== undefined && /^[\w-]{1,200}$/.test(value)) return value
  }
  return undefined
}

/** What makes a browser keep a session, or forget it where there is no secret. */
export function setCookie(secret: string | undefined, isSecure: boolean, seconds = 0): string {
  const attributes = ["Path=/", "HttpOnly", "SameSite=Lax", ...(isSecure ? ["Secure"] : [])]
  return [
    `${cookieName(isSecure)}=${secret ?? ""}`,
    `Max-Age=${secret === undefined ? 0 : seconds}`,
    ...attributes,
  ].join("; ")
}
