import { BELIEVED_BYTES } from "../../bun/heap.ts"

/** How workers are kept. */
export interface WorkerSettings {
  /** Runs at the same time at most. */
  readonly slots: number
  /** Workers besides, for what people ask while they write flows. */
  readonly askers: number
  /** Workers that are started ahead. */
  readonly warm: number
  /** A worker is replaced after so many orders … */
  readonly mostOrders: number
  /** … or when it holds more memory than this while it does nothing. */
  readonly restingBytes: number
  /** A run that takes more memory than this is killed. */
  readonly mostBytes: number
  /** Folder that relative paths in flows and data sources start from. */
  readonly base: string
  /** Headrace's folder, with its plugins. */
  readonly home: string
  /** Plugins on disk whose code an administrator lets run with all rights. */
  readonly unconfined: readonly string[]
  /** What is started: a program and its first words; a worker gets no others. */
  readonly command: readonly [program: string, ...words: string[]]
  /** The environment of the server, of which workers see only what they need. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export const usualWorkers = {
  slots: 4,
  askers: 2,
  warm: 2,
  mostOrders: 500,
  restingBytes: 400 * 1024 * 1024,
  mostBytes: 2048 * 1024 * 1024,
  unconfined: [],
} satisfies Partial<WorkerSettings>

/** What the environment of a worker has: nothing that is secret, and nothing that it does not need. */
export function environmentOf({ environment, home, unconfined }: WorkerSettings): Record<string, string> {
  const kept = Object.entries(environment).flatMap(([name, value]) =>
    KEPT.has(name) && value !== undefined ? [[name, value] as const] : [],
  )
  return {
    ...Object.fromEntries(kept),
    BUN_JSC_forceRAMSize: String(BELIEVED_BYTES),
    HEADRACE_HOME: home,
    ...(unconfined.length === 0 ? {} : { HEADRACE_UNCONFINED: unconfined.join(",") }),
  }
}

const KEPT: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "TMPDIR",
  "TZ",
  "LANG",
  "LC_ALL",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
])
