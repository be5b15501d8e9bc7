import type { Column, TableColumn, TableInfo, TableName } from "../../core/contract/index.ts"
import { quoteIdentifier, quoteLiteral } from "./postgres-dialect.ts"
import { logicalType } from "./type-map.ts"

export type Query = (sql: string, parameters?: readonly string[]) => Promise<readonly (readonly (string | null)[])[]>

export function qualified(table: TableName): string {
  return table.schema === undefined
    ? quoteIdentifier(table.name)
    : `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`
}

export async function listTables(query: Query, schema: string | undefined): Promise<readonly TableName[]> {
  const rows = await query(
    `SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
       AND CASE WHEN $1 = '' THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ELSE n.nspname = $1 END
     ORDER BY n.nspname = 'public' DESC, 1, 2`,
    [schema ?? ""],
  )
  return rows.map(([schemaName, name]) => ({ schema: schemaName!, name: name! }))
}

/** Columns of the relation `c`, a list each: name, declared type, base type, modifier, domain, not null, generated, identity, default, comment. */
const COLUMNS = `
  SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), COALESCE(b.typname, t.typname),
           CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, t.typtype = 'd',
           a.attnotnull OR t.typnotnull, COALESCE(to_jsonb(a) ->> 'attgenerated', '') <> '',
           COALESCE(to_jsonb(a) ->> 'attidentity', '') <> '', a.atthasdef, col_description(a.attrelid, a.attnum))
         ORDER BY a.attnum)
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`

/** Unique keys of the relation `c`: whether it is the primary one, and the columns. */
const UNIQUE = `
  SELECT json_agg(json_build_array(i.indisprimary, k.columns) ORDER BY i.indisprimary DESC, i.indexrelid)
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL (
    SELECT json_agg(a.attname ORDER BY k.position) AS columns
    FROM unnest(i.indkey) WITH ORDINALITY AS k(number, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE k.position <= COALESCE((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts)) AS k
  WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid`

/**
 * In one round trip: a run looks at its tables several times. Rows are estimated as the planner does it, by the density
 * that was seen last: the table may have grown since.
 */
export async function describeTable(query: Query, table: TableName): Promise<TableInfo | undefined> {
  const [found] = await query(
    `SELECT n.nspname, c.relkind, (CASE WHEN c.relkind = 'p'
       THEN (SELECT sum(GREATEST(p.reltuples, 0)) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = c.oid)
       WHEN c.relkind = 'r' AND c.relpages > 0 AND c.reltuples >= 0
       THEN c.reltuples / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::int8) END)::numeric(30,0),
       (${COLUMNS}), (${UNIQUE})
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass(${quoteLiteral(qualified(table))}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
  )
  if (found === undefined) return undefined
  const [schema, kind, estimate, columns, keys] = found as [string, string, string | null, string | null, string | null]
  const unique: readonly UniqueKey[] = JSON.parse(keys ?? "[]")
  const rows = Number(estimate ?? "-1")
  return {
    table: { schema, name: table.name },
    kind: kind === "v" || kind === "m" ? "view" : "table",
    columns: (JSON.parse(columns ?? "[]") as ColumnRow[]).map(tableColumn),
    primaryKey: unique.find(([isPrimary]) => isPrimary)?.[1] ?? [],
    uniqueKeys: unique.map(([, names]) => names),
    ...(rows >= 0 && kind !== "v" ? { estimatedRows: rows } : {}),
  }
}

type ColumnRow = [string, string, string, number, boolean, boolean, boolean, boolean, boolean, string | null]
type UniqueKey = readonly [isPrimary: boolean, columns: readonly string[]]

function tableColumn(row: ColumnRow): TableColumn {
  const [name, declared, base, modifier, domain, notNull, generated, identity, hasDefault, comment] = row
  return {
    name,
    type: logicalType({ declared, base, modifier, domain }),
    nullable: !notNull,
    native: { system: "postgres", type: declared },
    generated,
    identity,
    hasDefault: hasDefault && !generated,
    ...(comment === null ? {} : { comment }),
  }
}

/** A result column as the wire protocol describes it. */
export interface ResultColumn {
  readonly name: string
  readonly type: number
  readonly table: number
  readonly number: number
}

/** Result columns with their declared types; modifiers and NOT NULL come from the table column behind, where there is one. */
export async function describeResult(query: Query, columns: readonly ResultColumn[]): Promise<readonly Column[]> {
  if (columns.length === 0) return []
  const list = columns.map((column, i) => `(${i}, ${column.type}::oid, ${column.table}::oid, ${column.number}::int2)`)
  const rows = await query(
    `SELECT format_type(t.oid, COALESCE(a.atttypmod, -1)), COALESCE(b.typname, t.typname),
            CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE COALESCE(a.atttypmod, -1) END, t.typtype = 'd'
     FROM (VALUES ${list.join(", ")}) AS r(i, type, relation, number)
     JOIN pg_catalog.pg_type t ON t.oid = r.type
     LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.relation AND a.attnum = r.number AND a.atttypid = r.type
     ORDER BY r.i`,
  )
  return rows.map((row, i) => {
    const [declared, base, modifier, domain] = row as [string, string, string, string]
    const type = logicalType({ declared, base, modifier: Number(modifier), domain: domain === "t" })
    return { name: columns[i]!.name, type, nullable: true, native: { system: "postgres", type: declared } }
  })
}
