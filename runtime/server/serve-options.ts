import { join, resolve } from "node:path"
import type { Settings } from "../settings.ts"

/** How a server is started. Everything else is set while it runs, and kept in the store. */
export interface ServeOptions {
  readonly hostname: string
  readonly port: number
  /** How people reach it, for links; without it, the address that it listens at. */
  readonly publicUrl: string | undefined
  /** An SQLite file, or `postgres://…`. */
  readonly store: string
  /** Workers that wait for a run. */
  readonly warmWorkers: number
  /** Runs at the same time at most. */
  readonly mostRuns: number
  /** Of one run's process; more ends the run. */
  readonly workerMegabytes: number
  /** How long runs may go on when the server is told to stop. */
  readonly stopSeconds: number
  readonly logFormat: "json" | "text"
  /** Who shows it may read metrics from anywhere; without it, only this machine may. */
  readonly metricsToken: string | undefined
  /** Where traces and logs are sent by OpenTelemetry's protocol over HTTP, such as http://localhost:4318. */
  readonly otlpUrl: string | undefined
}

export type ServeFlags = Partial<Pick<ServeOptions, "hostname" | "port" | "publicUrl" | "store">>

/** Flags first, then the environment, then what suits one machine. Throws with the name of what is wrong. */
export function serveOptions(flags: ServeFlags, settings: Settings["Service"], isTerminal: boolean): ServeOptions {
  const { environment, home, cwd } = settings
  const text = (name: string) => {
    const value = environment[name]
    return value === undefined || value.trim() === "" ? undefined : value.trim()
  }
  const number = (name: string, fallback: number, [least, most]: readonly [number, number]) => {
    const given = text(name)
    if (given === undefined) return fallback
    const value = Number(given)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new RangeError(`${name} is "${given}", and has to be a whole number from ${least} to ${most}`)
  }
  const format = text("HEADRACE_LOG_FORMAT") ?? (isTerminal ? "text" : "json")
  if (format !== "json" && format !== "text")
    throw new RangeError(`HEADRACE_LOG_FORMAT is "${format}", and has to be json or text`)
  const store = flags.store ?? text("HEADRACE_STORE") ?? join(home, "state.db")
  // What stands behind it may be a password.
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(store) ?? []
  if (scheme !== undefined && !isPostgres(store))
    throw new RangeError(`The store begins with "${scheme}:", and has to be a path or postgres://…`)
  const port = flags.port ?? number("HEADRACE_PORT", 8484, PORTS)
  if (port < PORTS[0] || port > PORTS[1])
    throw new RangeError(`The port is ${port}, and has to be from ${PORTS[0]} to ${PORTS[1]}`)
  const publicUrl = flags.publicUrl ?? text("HEADRACE_PUBLIC_URL")
  if (publicUrl !== undefined && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? ""))
    throw new RangeError(`The public address is "${publicUrl}", and has to be http://… or https://…`)
  return {
    hostname: flags.hostname ?? text("HEADRACE_HOST") ?? "127.0.0.1",
    port,
    publicUrl,
    store: isPostgres(store) ? store : resolve(cwd, store),
    warmWorkers: number("HEADRACE_WARM_WORKERS", 1, [0, 64]),
    mostRuns: number("HEADRACE_MOST_RUNS", 4, [1, 256]),
    workerMegabytes: number("HEADRACE_WORKER_MEGABYTES", 1024, [128, 1_048_576]),
    stopSeconds: number("HEADRACE_STOP_SECONDS", 20, [0, 3600]),
    logFormat: format,
    metricsToken: text("HEADRACE_METRICS_TOKEN"),
    otlpUrl: text("HEADRACE_OTLP_URL"),
  }
}

const PORTS = [0, 65_535] as const

export function isPostgres(store: string): boolean {
  return /^postgres(ql)?:\/\//.test(store)
}
