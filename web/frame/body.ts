import { Effect } from "effect"
import { readJson } from "../../core/flow/json-position.ts"
import { type RequestError, refuse } from "../../core/server/request-error.ts"

/** The bytes of a body. One that is too large is refused while it comes in, whatever it has promised. */
export function readBytes(request: Request, most: number): Effect.Effect<Uint8Array<ArrayBuffer>, RequestError> {
  return Effect.tryPromise({
    try: () => gather(request, most),
    catch: (error) =>
      error instanceof TooLarge
        ? refuse("too-large", `The body is larger than ${most} bytes`, { hint: `${most} bytes are the most here` })
        : refuse("invalid", "The body broke off"),
  })
}

class TooLarge extends Error {}

async function gather(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > most) throw new TooLarge()
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.length
    if (size > most) {
      // What still comes is of no interest, nor is how that ends.
      void reader.cancel().catch(() => {})
      throw new TooLarge()
    }
    chunks.push(value)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** The JSON of a body; none counts as `{}`. */
export function readDocument(bytes: Uint8Array): Effect.Effect<unknown, RequestError> {
  return Effect.suspend(() => {
    if (bytes.length === 0) return Effect.succeed({})
    let text: string
    try {
      text = utf8.decode(bytes)
    } catch {
      return Effect.fail(refuse("invalid", "The body is not text in UTF-8"))
    }
    const read = readJson(text, MOST_LEVELS)
    if ("fault" in read) {
      const { line, column, message } = read.fault
      return Effect.fail(refuse("invalid", `The body is not JSON: line ${line}, column ${column}: ${message}`))
    }
    const fault = SUSPECT.test(text) ? evilIn(read.value, "") : undefined
    return fault === undefined ? Effect.succeed(read.value) : Effect.fail(fault)
  })
}

/**
 * What JSON allows, and what would do harm behind it: prototypes of objects, and NUL and halves of characters, which
 * databases cannot keep.
 */
function evilIn(value: unknown, pointer: string): RequestError | undefined {
  if (typeof value === "string") {
    const message = value.includes("\0") ? "A NUL character" : value.isWellFormed() ? undefined : "Half of a character"
    if (message === undefined) return undefined
    return refuse("invalid", `The body has ${message.replace(/^A/, "a").replace(/^H/, "h")}`, {
      problems: [{ pointer, message }],
    })
  }
  if (typeof value !== "object" || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    if (key === "__proto__" || key.includes("\0") || !key.isWellFormed())
      return refuse("invalid", `The body has a field ${JSON.stringify(key)}`, {
        problems: [{ pointer, message: `A field ${JSON.stringify(key)} is never allowed` }],
      })
    const fault = evilIn(inner, `${pointer}/${key}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Whether a body says that it is JSON. */
export function isJson(contentType: string | null): boolean {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";")
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith("charset="))
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset)
  return isUtf8 && /^application\/([\w.+-]+\+)?json$/.test(type.trim())
}

const utf8 = new TextDecoder("utf-8", { fatal: true })
const MOST_LEVELS = 100
const SUSPECT = /__proto__|\\u(00|d[89a-f])/i

/** What a body has at most where its endpoint says nothing else. */
export const MIB = 1024 * 1024
