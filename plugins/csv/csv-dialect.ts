import type { Session } from "../../core/contract/index.ts"

/** How records are written down: the options of input and output that they share, as bytes. */
export interface Dialect {
  /** One byte or more. */
  readonly delimiter: Uint8Array
  /** A byte; -1: fields are never quoted. */
  readonly quote: number
  /** A byte; the quote itself: quotes are doubled; -1: nothing is escaped. */
  readonly escape: number
}

export interface DialectOptions {
  readonly delimiter: string
  readonly quote: string
  readonly escape?: string
}

/** Checks the options against each other. Fails with reason `config`. */
export function makeDialect(options: DialectOptions, session: Pick<Session, "failure">): Dialect {
  const delimiter = new TextEncoder().encode(unescapeNotation(options.delimiter))
  if (delimiter.length === 0)
    throw session.failure("config", `Cannot use "" as delimiter: it is empty`, { hint: 'Use "," or "\\t"' })
  const quote = oneByte("quote", options.quote, session)
  const escapeByte = options.escape === undefined ? quote : oneByte("escape", options.escape, session)
  for (const byte of delimiter) {
    if (byte === 10 || byte === 13)
      throw session.failure("config", `Cannot use "${options.delimiter}" as delimiter: it holds a line break`)
  }
  for (const [name, byte] of [
    ["quote", quote],
    ["escape", escapeByte],
  ] as const) {
    if (byte === 10 || byte === 13)
      throw session.failure("config", `Cannot use a line break as ${name}: it ends a record`)
    if (byte >= 0 && delimiter.includes(byte)) {
      const text = String.fromCharCode(byte)
      throw session.failure(
        "config",
        `Cannot use "${text}" as ${name}: the delimiter "${options.delimiter}" holds it`,
        {
          hint: `Choose another ${name} or another delimiter`,
        },
      )
    }
  }
  return { delimiter, quote, escape: escapeByte }
}

/** `\t`, `\x01` and `\u0001` as people type them into a form. */
export function unescapeNotation(text: string): string {
  return text
    .replaceAll("\\t", "\t")
    .replace(/\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})/g, (_, two?: string, four?: string) =>
      String.fromCharCode(Number.parseInt(two ?? four ?? "0", 16)),
    )
}

function oneByte(name: string, option: string, session: Pick<Session, "failure">): number {
  const text = unescapeNotation(option)
  if (text === "") return -1
  const code = text.charCodeAt(0)
  if (text.length > 1 || code > 127)
    throw session.failure("config", `Cannot use "${option}" as ${name}: it is not one ASCII character`, {
      hint: `Give one ASCII character, or "" for none`,
    })
  return code
}
