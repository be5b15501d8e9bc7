import type { Log } from "../../../core/contract/index.ts"

type Level = "debug" | "info" | "warn"
type Fields = Readonly<Record<string, unknown>>

/** A log whose lines go to `write`, fields behind the message. */
export function makeOrderLog(write: (level: Level, text: string) => void): Log {
  const at = (level: Level) => (message: string, fields?: Fields) => write(level, lineOf(message, fields))
  return { debug: at("debug"), info: at("info"), warn: at("warn") }
}

function lineOf(message: string, fields: Fields = {}): string {
  return [message, ...Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`)].join(" ")
}

/** The value of a field on one line. */
export function plain(value: unknown): string {
  if (typeof value === "string") return /[\s"=]/.test(value) || value === "" ? JSON.stringify(value) : value
  if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") return String(value)
  return JSON.stringify(value) ?? "undefined"
}
