import type { Servers } from "./servers.ts"
import { databaseName } from "./sql.ts"

/** A flow document as the command line reads it. */
export interface Flow {
  readonly version: 1
  readonly steps: readonly { readonly id: string; readonly use: string; readonly config: object }[]
  readonly hops: readonly { readonly from: string; readonly to: string }[]
  readonly settings: object
}

/** PostgreSQL to PostgreSQL without transform: bytes are forwarded unread. */
export function postgresToPostgres(splits: number): Flow {
  return flow({ parallel: splits }, fromPostgres("bench.t"), toPostgres("public.u"))
}

/** The same with a cast and a rename, every value read into a batch and written from it. */
export function postgresTyped(): Flow {
  const change = [
    { column: "d", type: "timestamp" },
    { column: "note", as: "remark" },
  ]
  const select = { id: "typed", use: "select", config: { change } }
  return flow({ parallel: 1, forwarding: false }, fromPostgres("bench.t"), select, toPostgres("public.u_typed"))
}

export function mysqlToPostgres(): Flow {
  const read = { id: "read", use: "mysql-input", config: { dataSource: "mysql", table: "t" } }
  return flow({ parallel: 1 }, read, toPostgres("public.u"))
}

export function postgresToMysql(): Flow {
  const write = { id: "write", use: "mysql-output", config: { dataSource: "mysql", table: "u", mode: "append" } }
  return flow({ parallel: 1 }, fromPostgres("bench.t"), write)
}

export function csvToPostgres(path: string): Flow {
  const columns = [
    { name: "id", type: "int64" },
    { name: "name", type: "string" },
    { name: "amount", type: "decimal(12,2)" },
    { name: "flag", type: "boolean" },
    { name: "d", type: "date" },
    { name: "ts", type: "timestamp(6)" },
    { name: "score", type: "float64" },
    { name: "note", type: "string" },
  ]
  const read = { id: "read", use: "csv-input", config: { path, columns } }
  return flow({ parallel: 1 }, read, toPostgres("public.u"))
}

export function postgresToCsv(path: string): Flow {
  const write = { id: "write", use: "csv-output", config: { path } }
  return flow({ parallel: 1 }, fromPostgres("bench.t"), write)
}

/** The data sources that the flows name. */
export function sources(servers: Servers): object {
  const { postgres, mariadb } = servers
  const settings = (server: Servers["postgres"]) => ({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    database: databaseName,
  })
  return {
    pg: { type: "postgres", settings: settings(postgres) },
    ...(mariadb && { mysql: { type: "mysql", settings: settings(mariadb) } }),
  }
}

type Step = Flow["steps"][number]

function flow(settings: object, ...steps: readonly Step[]): Flow {
  const hops = steps.slice(1).map((step, index) => ({ from: steps[index]?.id ?? "", to: step.id }))
  return { version: 1, steps, hops, settings }
}

function fromPostgres(table: string): Step {
  return { id: "read", use: "postgres-input", config: { dataSource: "pg", table } }
}

function toPostgres(table: string): Step {
  return { id: "write", use: "postgres-output", config: { dataSource: "pg", table, mode: "append" } }
}
