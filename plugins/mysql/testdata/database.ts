import type { Batch, Connection, LoadRequest, Row, TableColumn, WriteMode } from "../../../core/contract/index.ts"
import type { Service } from "../../../scripts/services/service.ts"
import { type TestSession, testSession } from "../../../scripts/testing/session.ts"
import { mysqlDatabase } from "../mysql-database.ts"
import type { MysqlSettings } from "../mysql-settings.ts"

/** An empty database on a real server, with a connection to it. */
export interface Bed extends AsyncDisposable {
  readonly session: TestSession
  readonly settings: MysqlSettings
  readonly connection: Connection
  columns(table: string): Promise<readonly TableColumn[]>
  /** The same database for another user. */
  as(user: Pick<MysqlSettings, "user" | "password">): Promise<Bed>
  /** Loads rows and commits. Strings are as long as they like, so that the server is what refuses them. */
  load(table: string, rows: readonly Row[], options?: LoadOptions): Promise<number>
  rows(sql: string, options?: Record<string, unknown>): Promise<Row[]>
}

export interface LoadOptions {
  readonly mode?: WriteMode
  readonly keyColumns?: readonly string[]
  readonly columns?: readonly string[]
  readonly options?: Record<string, unknown>
  readonly batchRows?: number
}

export async function bed(options: Parameters<typeof testSession>[0], server: Service): Promise<Bed> {
  return bedOn(settingsOf(server, await server.createDatabase("mysql")), options)
}

async function bedOn(settings: MysqlSettings, options: Parameters<typeof testSession>[0]): Promise<Bed> {
  const session = testSession(options)
  const connection = await mysqlDatabase.connect(settings, session)
  const columns = async (table: string) => (await connection.describeTable({ name: table }))!.columns
  return {
    session,
    settings,
    connection,
    columns,
    as: (user) => bedOn({ ...settings, ...user }, options),
    async load(table, rows, { mode = "append", keyColumns = [], columns: names, options = {}, batchRows = 5000 } = {}) {
      const chosen = (await columns(table)).filter(({ name, generated }) => !generated && (!names || names.includes(name)))
      const sent = chosen.map((column) => ({
        ...column,
        nullable: true,
        type: column.type.kind === "string" ? ({ kind: "string" } as const) : column.type,
      }))
      async function* batches(): AsyncGenerator<Batch> {
        for (let at = 0; at < rows.length; at += batchRows) {
          yield session.batches.fromRows(sent, rows.slice(at, at + batchRows), at)
        }
      }
      const request: LoadRequest = { table: { name: table }, columns: chosen, mode, keyColumns, options }
      await connection.begin()
      const { written } = await connection.load(request, batches(), session)
      await connection.commit()
      return written
    },
    async rows(sql, options = {}) {
      const found: Row[] = []
      const columns = mysqlDatabase.inputColumns!(await connection.describeQuery(sql), options)
      for await (const batch of connection.read({ sql, columns, options }, session)) {
        if (batch.encoding === undefined) found.push(...session.batches.rows(batch))
      }
      return found
    },
    async [Symbol.asyncDispose]() {
      await connection.close()
    },
  }
}

export function settingsOf(server: Service, database: string): MysqlSettings {
  return { host: server.host, port: server.port, user: server.user, password: server.password, database }
}
