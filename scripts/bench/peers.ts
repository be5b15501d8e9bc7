import { join } from "node:path"
import type { Mover } from "./cases.ts"
import { installDlt, installIngestr, installSling } from "./installs.ts"
import type { Server } from "./servers.ts"
import { databaseName } from "./sql.ts"
import { peerTarget, postgresTarget } from "./targets.ts"

type From = "pg" | "mysql" | "csv"

/** Creates the table and inserts without a staging table: the fastest of sling's modes. */
export function sling(from: From, limit: number): Mover {
  const streams = { pg: "bench.t", mysql: `${databaseName}.t`, csv: "" }
  return {
    name: "sling",
    limit,
    target: () => peerTarget("absent"),
    prepare: async () => {
      await installSling()
    },
    command: async (bench, source) => ({
      argv: [
        ...[await installSling(), "run"],
        ...(from === "csv" ? ["--src-options", '{"empty_as_null":true}'] : ["--src-conn", from === "pg" ? "PG" : "MY"]),
        ...["--src-stream", from === "csv" ? `file://${source.csv}` : streams[from]],
        ...["--tgt-conn", "PG", "--tgt-object", "peer.t", "--mode", "full-refresh"],
      ],
      cwd: bench.folder,
      env: {
        PG: `${url("postgresql", bench.servers.postgres)}?sslmode=disable`,
        ...(bench.servers.mariadb && { MY: url("mysql", bench.servers.mariadb) }),
        SLING_DIRECT_INSERT: "TRUE",
        SLING_LOADED_AT_COLUMN: "FALSE",
        SLING_HOME_DIR: join(bench.folder, "sling"),
        SLING_DISABLE_TELEMETRY: "TRUE",
        DO_NOT_TRACK: "1",
      },
    }),
  }
}

/** Arrow from end to end (connectorx or pyarrow, then parquet by ADBC): a third of the time of the row based ways. */
export function dlt(from: From, limit: number): Mover {
  return {
    name: "dlt",
    limit,
    target: () => peerTarget("absent"),
    prepare: async () => {
      await installDlt()
    },
    command: async (bench, source) => {
      const { postgres, mariadb } = bench.servers
      const uris = {
        pg: url("postgresql", postgres),
        mysql: mariadb ? url("mysql", mariadb) : "",
        csv: source.csv,
      }
      const work = join(bench.folder, `dlt-${crypto.randomUUID()}`)
      return {
        argv: [await installDlt(), join(import.meta.dir, "dlt-copy.py"), from, uris[from], uris.pg, work],
        cwd: bench.folder,
        env: { RUNTIME__DLTHUB_TELEMETRY: "false", DO_NOT_TRACK: "1", RUNTIME__LOG_LEVEL: "ERROR" },
      }
    },
  }
}

/** Appends to the empty table, its fastest strategy. */
export function ingestr(limit: number): Mover {
  return {
    name: "ingestr",
    limit,
    target: () => peerTarget("created"),
    prepare: async () => {
      await installIngestr()
    },
    command: async (bench) => {
      const uri = `${url("postgresql", bench.servers.postgres)}?sslmode=disable`
      return {
        argv: [
          ...[await installIngestr(), "ingest", "--yes", "--progress", "log", "--incremental-strategy", "append"],
          ...["--source-uri", uri, "--source-table", "bench.t", "--dest-uri", uri, "--dest-table", "peer.t"],
        ],
        cwd: bench.folder,
        env: { DISABLE_TELEMETRY: "true", INGESTR_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "1" },
      }
    },
  }
}

/** Into the existing table, with pgloader's own defaults for batches and workers. */
export function pgloader(limit: number): Mover {
  return {
    name: "pgloader",
    limit,
    target: () => postgresTarget,
    prepare: async ({ clients }) => {
      if (clients.pgloader === undefined) throw new Error("pgloader is missing; install the package pgloader")
    },
    command: async (bench) => {
      const { postgres, mariadb } = bench.servers
      if (!mariadb) throw new Error("Cannot run pgloader: MariaDB was not started")
      const file = join(bench.folder, "pgloader.load")
      await Bun.write(
        file,
        `LOAD DATABASE
  FROM ${url("mysql", mariadb)}
  INTO ${url("postgresql", postgres)}
WITH data only
INCLUDING ONLY TABLE NAMES MATCHING 't'
ALTER TABLE NAMES MATCHING 't' RENAME TO 'u'
ALTER SCHEMA '${databaseName}' RENAME TO 'public';
`,
      )
      const root = join(bench.folder, "pgloader")
      return { argv: [bench.clients.pgloader ?? "pgloader", "--root-dir", root, file], cwd: bench.folder }
    },
  }
}

function url(scheme: string, { host, port, user, password }: Server): string {
  // Some of them refuse a URL without a password even where the server asks for none.
  return `${scheme}://${user}:${encodeURIComponent(password || "none")}@${host}:${port}/${databaseName}`
}
