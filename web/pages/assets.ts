/** A file of the pages, with what it is when compressed. */
export interface Asset {
  /** From the root of the server, such as `/assets/main-x1.js`. */
  readonly path: string
  readonly type: string
  /** Changes with the content. */
  readonly tag: string
  readonly bytes: Uint8Array
  readonly br?: Uint8Array
  readonly gzip?: Uint8Array
}

export type Assets = (path: string) => Asset | undefined

/**
 * Answers a request for a page or a file of one. Every path that is no file gets the one page, which shows what belongs to
 * the path; files under `/assets/` carry their hash in their name and never change.
 */
export function answerPage(request: Request, assets: Assets): Response | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined
  const { pathname } = new URL(request.url)
  const isFile = pathname.startsWith("/assets/") || /^\/docs\/.+\.(md|json)$/.test(pathname)
  const found = assets(isFile ? pathname : "/index.html")
  if (found === undefined) return undefined
  const [encoding, bytes] = encodingOf(request.headers.get("accept-encoding") ?? "", found)
  const headers = new Headers({
    "content-type": found.type,
    etag: `"${found.tag}${encoding ? `-${encoding}` : ""}"`,
    vary: "accept-encoding",
    "cache-control": pathname.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  })
  if (request.headers.get("if-none-match") === headers.get("etag")) return new Response(null, { status: 304, headers })
  if (encoding) headers.set("content-encoding", encoding)
  headers.set("content-length", String(bytes.length))
  // A view of a larger buffer is what a body takes, though its type may be a shared one.
  return new Response(request.method === "HEAD" ? null : (bytes as Uint8Array<ArrayBuffer>), { headers })
}

function encodingOf(accepted: string, { bytes, br, gzip }: Asset): readonly [string, Uint8Array] {
  const takes = (name: string) => new RegExp(`(^|,)\\s*${name}\\s*(;(?!\\s*q=0(\\.0*)?\\s*(,|$))|,|$)`).test(accepted)
  if (br && takes("br")) return ["br", br]
  if (gzip && takes("gzip")) return ["gzip", gzip]
  return ["", bytes]
}
