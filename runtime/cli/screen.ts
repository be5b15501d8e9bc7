import { Context, Layer } from "effect"
import type { Log } from "../../core/contract/index.ts"
import { Secrets } from "../sources/secrets.ts"
import { plain } from "../worker/process/order-log.ts"
import { makeStyle, type Style, wantsColour } from "./style.ts"

/** A stream of the process. */
export interface ScreenStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ScreenOptions {
  readonly out: ScreenStream
  readonly err: ScreenStream
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly verbose: boolean
}

/** Where a command prints: results to the standard output, everything else to the standard error. */
export class Screen extends Context.Service<
  Screen,
  {
    /** A line, or several, of the result. */
    out(text: string): void
    /** A line, or several, for the person in front. Secrets are masked. */
    say(text: string): void
    /** Lines that stay at the bottom and are drawn anew at every call; none takes them away. Only on a terminal. */
    live(lines: readonly string[]): void
    readonly log: Log
    /** True when the standard error is a terminal. */
    readonly isLive: boolean
    readonly verbose: boolean
    readonly columns: number
    /** Colours of the standard error. */
    readonly style: Style
    /** Colours of the standard output. */
    readonly outStyle: Style
    readonly mask: (text: string) => string
  }
>()("runtime/cli/Screen") {}

export function screenLayer(options: ScreenOptions): Layer.Layer<Screen, never, Secrets> {
  return Layer.effect(
    Screen,
    Secrets.useSync((secrets) => makeScreen(options, secrets.mask)),
  )
}

export function makeScreen(
  { out, err, environment, verbose }: ScreenOptions,
  mask: (text: string) => string,
): Screen["Service"] {
  const style = makeStyle(wantsColour(environment, err))
  const isLive = err.isTTY === true && environment.TERM !== "dumb"
  let drawn: readonly string[] = []
  const erase = () => (drawn.length === 0 ? "" : `\u001b[${drawn.length}A\r\u001b[J`)
  const draw = () => drawn.map((line) => `${line}\n`).join("")
  const say = (text: string) => {
    err.write(`${erase()}${mask(text)}\n${draw()}`)
  }
  return {
    out: (text) => void out.write(`${text}\n`),
    say,
    live(lines) {
      if (!isLive) return
      const before = erase()
      drawn = lines
      err.write(before + draw())
    },
    log: makeLog(say, style, verbose),
    isLive,
    verbose,
    // A terminal that does not know its size says 0.
    columns: err.columns || 80,
    style,
    outStyle: makeStyle(wantsColour(environment, out)),
    mask,
  }
}

function makeLog(say: (text: string) => void, style: Style, verbose: boolean): Log {
  type Fields = Readonly<Record<string, unknown>>
  const line = (message: string, fields: Fields = {}) => {
    const shown = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`)
    return [message, ...shown.map((field) => style.dim(field))].join(" ")
  }
  return {
    debug: (message, fields) => verbose && say(style.dim(`debug: ${line(message, fields)}`)),
    info: (message, fields) => verbose && say(`info: ${line(message, fields)}`),
    warn: (message, fields) => say(`${style.yellow("warning:")} ${line(message, fields)}`),
  }
}
