import { startMariadb } from "../services/mariadb.ts"
import { startPostgres } from "../services/postgres.ts"
import type { Options } from "./arguments.ts"

/** Where a server listens. */
export interface Server {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

/** The servers of one invocation. Private ones end with it. */
export interface Servers extends AsyncDisposable {
  readonly postgres: Server
  /** Absent when no case needs it, or when it cannot be had; `mariadbMissing` then says why. */
  readonly mariadb: Server | undefined
  readonly mariadbMissing: string | undefined
}

export async function startServers(options: Options, wantsMariadb: boolean): Promise<Servers> {
  const stops: (() => Promise<void>)[] = []
  const keep = <S extends { stop(): Promise<void> }>(service: S): S => {
    stops.push(() => service.stop())
    return service
  }
  const stop = async () => {
    for (const each of stops) await each()
  }
  try {
    const postgres = options.postgres
      ? parseServer(options.postgres, "postgres")
      : keep(await startPostgres({ settings: postgresSettings(options.fsync) }))
    let mariadb: Server | undefined
    let mariadbMissing: string | undefined
    if (wantsMariadb && options.mariadb) mariadb = parseServer(options.mariadb, "root")
    else if (wantsMariadb) {
      try {
        mariadb = keep(await startMariadb({ settings: mariadbSettings(options.fsync) }))
      } catch (cause) {
        mariadbMissing = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause)
      }
    }
    return { postgres, mariadb, mariadbMissing, [Symbol.asyncDispose]: stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

// As a server is run that loads much: safe on disk, memory that fits beside the measured processes, and no background
// work that would hit one side of the comparison and not the other.
export function postgresSettings(fsync: boolean): Record<string, string> {
  return {
    shared_buffers: "512MB",
    max_wal_size: "8GB",
    checkpoint_timeout: "1h",
    wal_level: "replica",
    fsync: fsync ? "on" : "off",
    synchronous_commit: "on",
    full_page_writes: "on",
    autovacuum: "off",
  }
}

function mariadbSettings(fsync: boolean): Record<string, string> {
  return {
    "innodb-buffer-pool-size": "1G",
    "innodb-log-file-size": "1G",
    "innodb-flush-log-at-trx-commit": fsync ? "1" : "2",
    "innodb-doublewrite": "1",
    "innodb-flush-method": fsync ? "O_DIRECT" : "nosync",
    "local-infile": "1",
  }
}

function parseServer(text: string, user: string): Server {
  const [host, port] = text.split(":")
  if (!host || !Number(port)) throw new Error(`Cannot read the options: "${text}" is not HOST:PORT`)
  return { host, port: Number(port), user, password: "" }
}
