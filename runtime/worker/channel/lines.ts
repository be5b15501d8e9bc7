import type { Message } from "./peer.ts"

/** A message stands on a line of its own, whatever somebody has printed before it. */
export function lineOf(message: Message): string {
  return `\n${JSON.stringify(message)}\n`
}

/** Puts lines together from pieces. What is no message is something that somebody has printed. */
export class LineReader {
  readonly #decoder = new TextDecoder()
  readonly #message: (message: Message) => void
  readonly #other: (line: string) => void
  #pieces: string[] = []

  constructor(message: (message: Message) => void, other: (line: string) => void) {
    this.#message = message
    this.#other = other
  }

  take(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true })
    const end = text.lastIndexOf("\n")
    if (end < 0) {
      this.#pieces.push(text)
      return
    }
    const lines = [...this.#pieces, text.slice(0, end)].join("").split("\n")
    this.#pieces = [text.slice(end + 1)]
    for (const line of lines) if (line !== "") this.#line(line)
  }

  #line(line: string): void {
    const message = messageOf(line)
    if (message === undefined) this.#other(line)
    else this.#message(message)
  }
}

function messageOf(line: string): Message | undefined {
  if (!line.startsWith("{")) return undefined
  try {
    const value = JSON.parse(line) as { readonly _tag?: unknown }
    return typeof value._tag === "string" ? (value as Message) : undefined // what a peer has sent
  } catch {
    return undefined
  }
}
