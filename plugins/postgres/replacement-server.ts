import type { Session, TableName } from "../../core/contract/index.ts"
import { type Query, qualified } from "./catalog.ts"
import type { Link } from "./postgres-connection.ts"
import { quoteLiteral } from "./postgres-dialect.ts"
import { lost } from "./wire.ts"

/** What the replacement of a table needs of a connection. */
export interface Server {
  readonly version: number
  readonly session: Session
  readonly query: Query
  /** In order, in one message: all of them or none. */
  run(statements: readonly string[]): Promise<void>
  /** For what may call functions of the user's, which may rely on the search path. */
  runAsCaller(statement: string): Promise<void>
}

export interface Relation {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** As `pg_class.relkind` says it: `r` for a table, `p` for a partitioned one. */
  readonly kind: string
  /** Schema and name, quoted. */
  readonly sql: string
}

/**
 * Runs `work` under settings in which definitions name everything in full and nothing is placed by a default of the
 * role; the settings are as they were afterwards. `tables` are looked up before that.
 */
export async function serve<A, const N extends readonly TableName[]>(
  link: Link,
  { action, tables }: { readonly action: string; readonly tables: N },
  work: (server: Server, relations: { readonly [K in keyof N]: Relation }) => Promise<A>,
): Promise<A> {
  const { session, version } = link
  const query: Query = async (text, parameters = []) => {
    const pending = link.sql.unsafe(text, [...parameters])
    const rows = await link.cancellable(pending, session.signal, () => pending.raw())
    return rows.map((row) =>
      // The driver's types know nothing of raw rows.
      (row as unknown as (Uint8Array | null)[]).map((cell) => (cell === null ? null : decoder.decode(cell))),
    )
  }
  const run = async (statements: readonly string[]) => {
    if (statements.length === 0) return
    if (link.wire.closed) throw lost()
    const pending = link.sql.unsafe(statements.join(";\n")).simple()
    await link.cancellable(pending, session.signal, async () => void (await pending))
  }
  try {
    const relations: Relation[] = []
    for (const table of tables) {
      const found = await relationOf(query, table)
      if (found === undefined) throw session.failure("missing", `Cannot ${action}: there is no ${qualified(table)}`)
      relations.push(found)
    }
    const names = Object.keys(SETTINGS)
    const [before] = await query(`SELECT ${names.map((name) => `current_setting('${name}')`).join(", ")}`)
    const setting = (values: readonly (string | null)[]) =>
      names.map((name, i) => `SELECT pg_catalog.set_config('${name}', ${quoteLiteral(values[i]!)}, false)`)
    const [usual, pinned] = [setting(before!), setting(Object.values(SETTINGS))]
    const runAsCaller = (statement: string) => run([...usual, statement, ...pinned])
    await run(pinned)
    try {
      // As many as there are tables, in their order.
      const result = await work(
        { version, session, query, run, runAsCaller },
        relations as unknown as { [K in keyof N]: Relation },
      )
      await run(usual)
      return result
    } catch (error) {
      // A transaction that has failed takes them back by itself.
      await run(usual).catch(() => undefined)
      throw error
    }
  } catch (error) {
    throw link.fail(action, error)
  }
}

export async function relationOf(query: Query, table: TableName): Promise<Relation | undefined> {
  const [row] = await query(
    `SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`,
    [qualified(table)],
  )
  if (row === undefined) return undefined
  const [oid, schema, name, kind] = row as [string, string, string, string]
  return { oid, schema, name, kind, sql: qualified({ schema, name }) }
}

/** The first column of each row. */
export async function texts(query: Query, sql: string, parameters: readonly string[]): Promise<readonly string[]> {
  return (await query(sql, parameters)).map(([text]) => text!)
}

const decoder = new TextDecoder()

const SETTINGS = { search_path: "pg_catalog, pg_temp", default_tablespace: "", lock_timeout: "0" }
