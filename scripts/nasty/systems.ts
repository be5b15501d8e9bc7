import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { createConnection } from "mysql2/promise"
import postgresClient from "postgres"
import type { RunReport } from "../../core/run/report.ts"
import type { Service } from "../services/service.ts"
import { mariadb, postgres } from "../services/services.ts"
import { type Engine, testEngine } from "../testing/engine.ts"

/** One end of a copy: a database of its own, or a folder of files. */
export interface System {
  readonly kind: "postgres" | "mysql" | "sqlite" | "csv"
  readonly settings: Readonly<Record<string, unknown>>
  /** Runs statements; rows as the server itself writes them. Parts of the last result only. */
  sql(text: string): Promise<(string | null)[][]>
}

/** An empty PostgreSQL database; `options` follow CREATE DATABASE, such as an encoding. */
export async function postgresSystem(options = "", server?: Service): Promise<System> {
  const service = server ?? (await postgres())
  const database = await service.createDatabase("nasty")
  const run = (text: string, name = database) => postgresText(service, name, text)
  if (options !== "") {
    await run(`DROP DATABASE "${database}"`, service.database)
    await run(`CREATE DATABASE "${database}" TEMPLATE template0 ${options}`, service.database)
  }
  const { host, port, user, password } = service
  return { kind: "postgres", settings: { host, port, user, password, database }, sql: (text) => run(text) }
}

/** An empty MariaDB database; `mode` is the sql_mode of what the test itself does, so that it can store anything. */
export async function mysqlSystem(mode = "", server?: Service): Promise<System> {
  const service = server ?? (await mariadb())
  const database = await service.createDatabase("nasty")
  const { host, port, user, password } = service
  return {
    kind: "mysql",
    settings: { host, port, user, password, database },
    async sql(text) {
      const client = await createConnection({ host, port, user, password, database, multipleStatements: true })
      try {
        await client.query(`SET sql_mode = '${mode}', time_zone = '+00:00', foreign_key_checks = 0`)
        const [rows, fields] = await client.query({ sql: text, rowsAsArray: true, typeCast: (field) => field.string() })
        const last: unknown = Array.isArray(rows) && !isField(fields?.[0]) ? rows.at(-1) : rows
        return Array.isArray(last) ? (last as (string | null)[][]) : []
      } finally {
        await client.end()
      }
    },
  }
}

export function sqliteSystem(): System {
  const path = join(mkdtempSync(join(tmpdir(), "headrace-nasty-")), "nasty.db")
  return {
    kind: "sqlite",
    settings: { path },
    async sql(text) {
      const file = new DatabaseSync(path)
      try {
        const [last] = /(?<=^|;)\s*SELECT(?!.*;\s*SELECT).*$/is.exec(text) ?? []
        file.exec(last === undefined ? text : text.slice(0, -last.length))
        if (last === undefined) return []
        const statement = file.prepare(last)
        statement.setReadBigInts(true)
        return statement.all().map((row) => Object.values(row).map((value) => (value === null ? null : String(value))))
      } finally {
        file.close()
      }
    },
  }
}

/** A folder for CSV files. `sql` has no meaning there. */
export function csvSystem(): System & { readonly base: string } {
  const base = mkdtempSync(join(tmpdir(), "headrace-nasty-"))
  return { kind: "csv", base, settings: {}, sql: () => Promise.reject(new Error("files speak no SQL")) }
}

/** What a step does: its system, and the options of the derived component. */
export interface End {
  readonly at: System
  readonly [option: string]: unknown
}

/** A rejected row without the names of the run. */
export interface Refused {
  readonly row: number
  readonly column: string | undefined
  readonly value: string | null | undefined
  readonly reason: string
  readonly record: Readonly<Record<string, string | null>> | undefined
}

export interface Moved {
  readonly report: RunReport
  readonly refused: readonly Refused[]
  readonly read: number
  readonly written: number
}

/** Settings that let a run go on over bad rows. */
export const LENIENT = { errorLimit: 1_000_000 }

/** The same copy through forwarded bytes, and through values. */
export const PATHS = [
  { path: "forwarded", settings: { ...LENIENT, forwarding: true } },
  { path: "typed", settings: { ...LENIENT, forwarding: false } },
] as const

export function engineFor(from: End, to: End): Engine {
  const base = [from.at, to.at].find((at) => "base" in at) as { base: string } | undefined
  const sources = Object.fromEntries(
    Object.entries({ from, to })
      .filter(([, { at }]) => at.kind !== "csv")
      .map(([name, { at }]) => [name, { type: at.kind, settings: at.settings }]),
  )
  return testEngine(sources, base === undefined ? {} : { base: base.base })
}

export function flowOf(from: End, to: End, settings: Readonly<Record<string, unknown>> = LENIENT) {
  const step = (id: "from" | "to", { at, ...options }: End) => ({
    id,
    use: `${at.kind}-${id === "from" ? "input" : "output"}`,
    config: at.kind === "csv" ? options : { dataSource: id, ...options },
  })
  return {
    version: 1,
    steps: [step("from", from), step("to", to)],
    hops: [{ from: "from", to: "to" }],
    settings,
  }
}

/** Copies and checks the receipt: every row that was read was written or rejected. Throws when the run fails. */
export async function move(from: End, to: End, settings?: Readonly<Record<string, unknown>>): Promise<Moved> {
  const moved = await attempt(from, to, settings)
  if (moved.report.status !== "succeeded") throw new Error(JSON.stringify(moved.report.failure))
  return moved
}

/** As {@link move}, for runs that may fail: what is committed must add up all the same. */
export async function attempt(from: End, to: End, settings?: Readonly<Record<string, unknown>>): Promise<Moved> {
  const engine = engineFor(from, to)
  const report = await engine.run(flowOf(from, to, settings))
  let read = 0
  let written = 0
  for (const receipt of report.receipts) {
    read += receipt.read
    for (const output of receipt.outputs) {
      written += output.written
      if (receipt.read + output.made !== output.written + output.rejected + output.filtered)
        throw new Error(JSON.stringify(receipt))
    }
  }
  const refused = engine.rejections.map(({ row, column, value, reason, record }) => {
    return { row, column, value, reason, record }
  })
  if (report.status === "succeeded" && read !== written + refused.length)
    throw new Error(`${read} read, ${written} written, ${refused.length} refused`)
  return { report, refused: refused.toSorted((a, b) => a.row - b.row), read, written }
}

type Cell = Uint8Array | null

/** Of one statement the driver gives fields, of several a list of them. */
function isField(fields: unknown): boolean {
  return typeof fields === "object" && fields !== null && "name" in fields
}

async function postgresText(service: Service, database: string, text: string): Promise<(string | null)[][]> {
  const { host, port, user, password } = service
  const connection = { TimeZone: "UTC", extra_float_digits: "3" } as Record<string, string>
  const client = postgresClient({ host, port, user, password, database, max: 1, onnotice: () => {}, connection })
  try {
    // Of several statements the driver gives a list of results, each with the command that made it.
    const results = (await client.unsafe(text).simple().raw()) as unknown as Cell[][] | Cell[][][]
    const last = "command" in results ? (results as Cell[][]) : ((results.at(-1) ?? []) as Cell[][])
    return [...last].map((row) => row.map((cell) => (cell === null ? null : new TextDecoder().decode(cell))))
  } finally {
    await client.end()
  }
}
