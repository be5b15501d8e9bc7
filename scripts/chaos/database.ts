import { Readable } from "node:stream"
import { createConnection, type RowDataPacket } from "mysql2/promise"
import postgresClient from "postgres"
import type { Service } from "../services/service.ts"

/** A database of a server, as the campaign itself sees it: past the proxy, under a name of its own. */
export interface Place {
  readonly service: Service
  readonly database: string
}

export type Cells = readonly (string | null)[]

/** A connection for a few statements. */
export interface Access extends AsyncDisposable {
  /** Every value as text; the statement takes care of how. */
  query(sql: string): Promise<readonly Cells[]>
  execute(...statements: readonly string[]): Promise<void>
  /** Rows as text with tabs, which COPY and LOAD DATA read alike. */
  load(table: string, text: string): Promise<void>
}

export async function access({ service, database }: Place): Promise<Access> {
  return service.kind === "postgres" ? toPostgres(service, database) : await toMariadb(service, database)
}

/** One query on a connection of its own. */
export async function ask(place: Place, sql: string): Promise<readonly Cells[]> {
  await using connection = await access(place)
  return await connection.query(sql)
}

function toPostgres(service: Service, database: string): Access {
  const { host, port, user, password } = service
  const sql = postgresClient({
    host,
    port,
    user,
    password,
    database,
    max: 1,
    onnotice: () => {},
    connection: { application_name: "chaos" },
  })
  return {
    query: async (text) => (await sql.unsafe(text).values()).map((row) => [...(row as (string | null)[])]),
    async execute(...statements) {
      for (const statement of statements) await sql.unsafe(statement)
    },
    async load(table, text) {
      const stream = await sql.unsafe(`COPY ${table} FROM STDIN`).writable()
      await new Promise<void>((resolve, reject) => {
        stream.once("error", reject).once("finish", resolve)
        stream.end(text)
      })
    },
    [Symbol.asyncDispose]: () => sql.end({ timeout: 2 }),
  }
}

async function toMariadb(service: Service, database: string): Promise<Access> {
  const { host, port, user, password } = service
  const connection = await createConnection({ host, port, user, password, database, rowsAsArray: true })
  return {
    query: async (text) => (await connection.query<RowDataPacket[]>(text))[0] as unknown as readonly Cells[],
    async execute(...statements) {
      for (const statement of statements) await connection.query(statement)
    },
    async load(table, text) {
      await connection.query({
        sql: `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${table} CHARACTER SET utf8mb4`,
        infileStreamFactory: () => Readable.from([Buffer.from(text)]),
      })
    },
    [Symbol.asyncDispose]: async () => connection.destroy(),
  }
}
