import type { Columns, Connection, Database, Session, TableColumn } from "headrace/contract"

/** What this sketch needs of a driver. Yours comes from npm; load it with `await import("…")` when it is first used. */
export interface AcmeDriver {
  query(sql: string, parameters?: readonly string[]): Promise<(string | null)[][]>
  columns(
    table: string,
  ): Promise<readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[]>
  close(): Promise<void>
}

export interface AcmeSettings {
  readonly host: string
  readonly password?: string
}

/** From a database type Headrace derives `acme-input` and `acme-output` with all their options. */
export function acmeDatabase(open: (settings: AcmeSettings) => Promise<AcmeDriver>): Database<AcmeSettings> {
  return {
    kind: "database",
    id: "acme",
    title: "Acme",
    summary: "Reads and writes tables of Acme.",
    config: {
      type: "object",
      additionalProperties: false,
      required: ["host"],
      properties: {
        host: { type: "string", description: "Name or address of the server." },
        password: { type: "string", "x-secret": true, description: "Password of the user." },
      },
    },
    examples: [{ title: "A server", config: { host: "acme.example.com" } }],
    dialect: {
      identifierLimit: { most: 63, unit: "bytes" },
      quote: (identifier) => `"${identifier.replaceAll('"', '""')}"`,
      literal: (value) => `'${value.replaceAll("'", "''")}'`,
      columnType: ({ type }) =>
        type.kind === "int64" ? { type: "BIGINT" } : { type: "TEXT", lossy: "it becomes text" },
      sample: (table, fraction) => ({ from: table, where: `random() < ${fraction}` }),
    },
    async connect(settings, session) {
      const driver = await open(settings).catch((cause: Error) => {
        throw session.failure("connection", `Cannot connect to "${settings.host}": ${cause.message}`, { cause })
      })
      return acmeConnection(driver, session)
    },
  }
}

function acmeConnection(driver: AcmeDriver, session: Session): Connection {
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
  const query: Connection["query"] = async (sql, parameters) => {
    try {
      return await driver.query(sql, parameters)
    } catch (cause) {
      // Say why: the host decides by the reason whether to try again and what to advise.
      throw session.failure("unknown", `Cannot run a statement on Acme: ${(cause as Error).message}`, { cause })
    }
  }
  const execute = async (sql: string) => void (await query(sql))
  return {
    server: "Acme",
    query,
    execute,
    tables: async () => [],
    async describeTable(table) {
      const columns = (await driver.columns(table.name)).map(
        ({ name, type, nullable }): TableColumn => ({
          name,
          type: type === "BIGINT" ? { kind: "int64" } : { kind: "string" },
          nullable,
          native: { system: "acme", type },
          ...{ generated: false, identity: false, hasDefault: false },
        }),
      )
      return columns.length === 0 ? undefined : { table, kind: "table", columns, primaryKey: [], uniqueKeys: [] }
    },
    describeQuery: () =>
      Promise.reject(session.failure("unsupported", "Cannot describe queries: Acme has no such call")),
    readEncodings: () => [],
    async *read(request, session) {
      const builder = session.batches.builder(request.columns)
      for (const [row, values] of (await query(request.sql)).entries()) {
        if (!appended(values, request.columns, builder.columns)) {
          session.reject({ row, reason: "A value does not fit its column" })
          builder.discardRow()
          continue
        }
        builder.endRow()
        if (builder.full) yield builder.finish()
      }
      if (builder.rows > 0) yield builder.finish()
    },
    loadEncodings: () => [],
    begin: () => execute("BEGIN"),
    commit: () => execute("COMMIT"),
    rollback: () => execute("ROLLBACK"),
    async load(request, rows, session) {
      const names = request.columns.map(({ name }) => quote(name)).join(", ")
      const marks = request.columns.map(() => "NULLIF(?, char(0))").join(", ")
      let written = 0
      for await (const batch of rows) {
        if (batch.encoding !== undefined) throw session.failure("protocol", "Cannot load a frame")
        for (let row = 0; row < batch.rows; row++) {
          const values = batch.vectors.map((vector) => session.batches.valueText(vector, row) ?? "\0")
          await query(`INSERT INTO ${quote(request.table.name)} (${names}) VALUES (${marks})`, values)
          written++
        }
      }
      return { written }
    },
    close: () => driver.close(),
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

const encoder = new TextEncoder()

function appended(
  values: readonly (string | null)[],
  columns: Columns,
  builders: readonly { null(): void; parse(source: Uint8Array, start: number, end: number): boolean }[],
): boolean {
  return columns.every((_, i) => {
    const value = values[i]
    if (value === null || value === undefined) {
      builders[i]!.null()
      return true
    }
    const bytes = encoder.encode(value)
    return builders[i]!.parse(bytes, 0, bytes.length)
  })
}
