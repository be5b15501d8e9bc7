import { HEADER_BYTES } from "./copy-message.ts"

const ERROR = 0x45
const READY = 0x5a

/** What a server says to a statement: anything but notices, notifications and settings, which it sends unasked. */
const OF_STATEMENT = new Set(Array.from("CDEGITZ", (letter) => letter.charCodeAt(0)))

/** Names of an error's fields: https://www.postgresql.org/docs/current/protocol-error-fields.html */
const FIELDS: Readonly<Record<string, string>> = {
  C: "code",
  D: "detail",
  H: "hint",
  M: "message",
  W: "where",
  c: "column_name",
  n: "constraint_name",
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** The server's answers to statements that are sent past the driver, in their order. */
export class Answers {
  readonly #waiting: Waiting[] = []
  #error: Error | undefined

  /** Resolves when the server is ready behind the statement that is sent now; rejects with its error otherwise. */
  next(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  get waiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Whether a message of that type is for those who wait here. */
  takes(type: number): boolean {
    return this.waiting && OF_STATEMENT.has(type)
  }

  /** A whole message: `source[start .. end)`. */
  take(source: Uint8Array, start: number, end: number): void {
    const type = source[start]
    // A statement may be several: the first error ends it, and the server is ready behind the last.
    if (type === ERROR) this.#error ??= errorOf(source.subarray(start + HEADER_BYTES, end))
    if (type !== READY) return
    const error = this.#error
    this.#error = undefined
    const next = this.#waiting.shift()
    if (error === undefined) next?.resolve()
    else next?.reject(error)
  }

  /** The connection is gone. */
  fail(error: unknown): void {
    for (const each of this.#waiting.splice(0)) each.reject(this.#error ?? error)
  }
}

/** An error of the shape that the driver gives it. */
function errorOf(payload: Uint8Array): Error {
  const fields: Record<string, string> = {}
  for (const field of decoder.decode(payload).split("\0")) {
    const name = FIELDS[field.charAt(0)]
    if (name !== undefined) fields[name] = field.slice(1)
  }
  return Object.assign(new Error(fields.message), fields)
}

/** Process and secret of BackendKeyData, as a request to cancel takes them. */
export function cancelRequest(source: Uint8Array, start: number): Uint8Array {
  const out = Uint8Array.of(0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 0, 0, 0, 0, 0)
  out.set(source.subarray(start + HEADER_BYTES, start + HEADER_BYTES + 8), 8)
  return out
}

const decoder = new TextDecoder()
