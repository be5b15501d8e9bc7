import type { Columns, Connection, Database, Issue, Session, TableInfo } from "../contract/index.ts"
import { driftOf, NEW_COLUMNS, type Promised, SCHEMA_DRIFT } from "../flow/source-drift.ts"
import { newTable } from "./create-table.ts"
import type { DatabaseOutputOptions } from "./options.ts"
import { qualified } from "./source-sql.ts"

/** Fails when the source is not what the plan promised, or has more than the run's policy allows. */
export function refuseDrift(place: string, now: Columns, promised: Promised, session: Session): void {
  const { changed, added } = driftOf(now, promised)
  const policy = session.settings.schemaDrift
  if (changed.length === 0 && (added.length === 0 || policy === "ignore")) {
    if (added.length > 0) session.log.info(`New columns of ${place} are ignored`, { columns: added.join(", ") })
    return
  }
  const list = [...changed, ...added.map((name) => `column "${name}" is new`)].join("; ")
  const isGrown = changed.length === 0
  const hint =
    isGrown && policy === "fail"
      ? "Run the flow again to plan it with them, or set schemaDrift to ignore or addColumns"
      : "Run the flow again, so that it is planned anew"
  throw session.failure("config", `Cannot read ${place}: it has changed since the run was planned: ${list}`, {
    hint,
    code: isGrown && policy === "addColumns" ? NEW_COLUMNS : SCHEMA_DRIFT,
  })
}

/** A target with the columns that it still lacks. */
export interface Growth {
  readonly info: TableInfo
  /** Names of the columns that are added. */
  readonly added: readonly string[]
  /** One ALTER TABLE for each. */
  readonly statements: readonly string[]
  readonly issues: readonly Issue[]
}

/**
 * The table as it is once every incoming column that has no place by name got a column of its own. Those may be NULL:
 * the rows that are there have no value for them. Other mappings name their columns, so nothing is added.
 */
export function grownTable(
  info: TableInfo,
  input: Columns,
  config: Pick<DatabaseOutputOptions, "mapping" | "allowLossy">,
  { id, dialect }: Pick<Database, "id" | "dialect">,
): Growth {
  const known = new Set(info.columns.map(({ name }) => name.toLowerCase()))
  const missing = config.mapping === "name" ? input.filter(({ name }) => !claimed(known, name)) : []
  if (missing.length === 0) return { info, added: [], statements: [], issues: [] }
  const plain = missing.map(({ key: _key, ...column }) => ({ ...column, nullable: true }))
  const made = newTable(info.table, plain, { keyColumns: [], allowLossy: config.allowLossy }, dialect)
  const columns = made.info.columns.map((column) => ({
    ...column,
    native: { system: id, type: column.native!.type },
  }))
  const table = qualified(info.table, dialect)
  return {
    info: { ...info, columns: [...info.columns, ...columns] },
    added: columns.map(({ name }) => name),
    // NULL is said: some servers make a timestamp NOT NULL when nothing is.
    statements: columns.map(
      ({ name, native }) => `ALTER TABLE ${table} ADD COLUMN ${dialect.quote(name)} ${native.type} NULL`,
    ),
    issues: made.issues,
  }
}

/** Names that differ only in case are one name to some databases. */
function claimed(names: Set<string>, name: string): boolean {
  const lower = name.toLowerCase()
  if (names.has(lower)) return true
  names.add(lower)
  return false
}

/**
 * Adds the columns, each in a statement of its own, outside of a transaction. A column that somebody else has added
 * meanwhile, such as another run into the same table, is as good; describe the table again before mapping to it.
 */
export async function growTable(connection: Connection, growth: Growth, timeoutMs: number): Promise<void> {
  for (const [i, statement] of growth.statements.entries()) {
    try {
      await connection.execute(statement, { timeoutMs })
    } catch (error) {
      const now = await connection.describeTable(growth.info.table).catch(() => undefined)
      if (now?.columns.some(({ name }) => name === growth.added[i]) !== true) throw error
    }
  }
}
