import { Cause, Logger } from "effect"
import type { ScreenStream } from "../cli/screen.ts"

export interface ServerLogOptions {
  readonly out: ScreenStream
  readonly mask: (text: string) => string
  /** One JSON object a line, or text for people. */
  readonly format: "json" | "text"
}

/** The server's own log. Every line goes through the mask, whoever wrote it. */
export function makeServerLogger({ out, mask, format }: ServerLogOptions): Logger.Logger<unknown, void> {
  return Logger.make(({ date, logLevel, message, cause, fiber: _ }) => {
    const { text, fields } = read(message)
    const failure = cause.reasons.length === 0 ? undefined : Cause.pretty(cause)
    const level = logLevel.toLowerCase()
    const line =
      format === "json"
        ? JSON.stringify({ at: date.toISOString(), level, message: text, ...fields, ...(failure && { failure }) })
        : [
            date.toISOString(),
            level.padEnd(5),
            oneLine(text),
            ...shown(fields),
            ...(failure ? [`\n${failure}`] : []),
          ].join(" ")
    out.write(`${mask(line)}\n`)
  })
}

/** A message is text, with an object of fields behind it. */
function read(message: unknown): { readonly text: string; readonly fields: Readonly<Record<string, unknown>> } {
  const parts = Array.isArray(message) ? message : [message]
  const fields = parts.filter((part) => typeof part === "object" && part !== null)
  const texts = parts.filter((part) => typeof part !== "object" || part === null)
  return { text: texts.map(String).join(" "), fields: Object.assign({}, ...fields) as Record<string, unknown> } // of objects
}

/** Whoever chose the text of a name must not write lines of the log. */
function oneLine(text: string): string {
  return text.replaceAll(CONTROL, (character) => JSON.stringify(character).slice(1, -1))
}

function shown(fields: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
