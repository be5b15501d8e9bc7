import { join } from "node:path"
import type { Bench } from "./bench.ts"
import type { Source } from "./data.ts"
import * as flows from "./flows.ts"
import { type Command, pipeline } from "./measure.ts"
import { oursCommand } from "./ours.ts"
import { dlt, ingestr, pgloader, sling } from "./peers.ts"
import * as references from "./references.ts"
import { clientEnvironment } from "./sql.ts"
import { csvTarget, mariadbTarget, postgresTarget, type Target, typedTarget } from "./targets.ts"

/** One way to copy the source to a target. */
export interface Mover {
  readonly name: string
  /** Our time divided by its time, at most. */
  readonly limit: number
  readonly target: (bench: Bench) => Target
  /** Installs what it needs. Throws with the reason when that is impossible; the reference is then skipped. */
  prepare?(bench: Bench): Promise<void>
  command(bench: Bench, source: Source): Promise<Command>
}

/** What is measured: Headrace, and what it is compared with. */
export interface Case {
  readonly name: string
  readonly needsMariadb: boolean
  readonly ours: Omit<Mover, "limit">
  readonly references: readonly Mover[]
}

export const allCases: readonly Case[] = [
  {
    name: "pg-pg",
    needsMariadb: false,
    ours: ours("pg-pg", () => flows.postgresToPostgres(1)),
    references: [psqlPipe(1.08), sling("pg", 0.33), dlt("pg", 0.33), ingestr(0.8)],
  },
  {
    name: "pg-pg-splits",
    needsMariadb: false,
    ours: ours("pg-pg-splits", () => flows.postgresToPostgres(2)),
    references: [psqlPipe(1.05)],
  },
  {
    name: "pg-pg-typed",
    needsMariadb: false,
    ours: { ...ours("pg-pg-typed", () => flows.postgresTyped()), target: () => typedTarget },
    references: [psqlPipe(1.1)],
  },
  {
    name: "mysql-pg",
    needsMariadb: true,
    ours: ours("mysql-pg", () => flows.mysqlToPostgres()),
    references: [
      script("mariadb | psql", 1.0, postgresTarget, (bench) => references.copyFromMariadb(bench, "t", "public.u")),
      pgloader(0.4),
      sling("mysql", 0.33),
      dlt("mysql", 0.33),
    ],
  },
  {
    name: "pg-mysql",
    needsMariadb: true,
    ours: { ...ours("pg-mysql", () => flows.postgresToMysql()), target: () => mariadbTarget },
    references: [
      script("psql | mariadb", 1.05, mariadbTarget, (bench) => references.copyToMariadb(bench, "bench.t", "u")),
    ],
  },
  {
    name: "csv-pg",
    needsMariadb: false,
    ours: ours("csv-pg", (source) => flows.csvToPostgres(source.csv)),
    references: [
      script("psql \\copy", 1.15, postgresTarget, (bench, { csv }) => references.csvToPostgres(bench, csv, "public.u")),
      sling("csv", 0.33),
      dlt("csv", 0.33),
    ],
  },
  {
    name: "pg-csv",
    needsMariadb: false,
    ours: {
      name: "headrace",
      target: (bench) => csvTarget(join(bench.folder, "ours.csv")),
      command: (bench) => oursCommand(bench, "pg-csv", flows.postgresToCsv(join(bench.folder, "ours.csv"))),
    },
    references: [
      {
        ...script("psql \\copy", 1.15, postgresTarget, (bench) =>
          references.postgresToCsv(bench, "bench.t", join(bench.folder, "psql.csv")),
        ),
        target: (bench) => csvTarget(join(bench.folder, "psql.csv")),
      },
    ],
  },
]

function ours(name: string, flow: (source: Source) => flows.Flow): Case["ours"] {
  return {
    name: "headrace",
    target: () => postgresTarget,
    command: (bench, source) => oursCommand(bench, name, flow(source)),
  }
}

function psqlPipe(limit: number): Mover {
  return script("psql | psql", limit, postgresTarget, (bench) =>
    references.copyToPostgres(bench, "bench.t", "public.u"),
  )
}

function script(name: string, limit: number, target: Target, text: (bench: Bench, source: Source) => string): Mover {
  return {
    name,
    limit,
    target: () => target,
    command: async (bench, source) => ({
      argv: pipeline(text(bench, source)),
      cwd: bench.folder,
      env: clientEnvironment(bench),
    }),
  }
}
