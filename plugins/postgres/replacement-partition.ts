import { quoteIdentifier, quoteLiteral } from "./postgres-dialect.ts"
import { bringAlong, takeOver } from "./replacement-keep.ts"
import { obstaclesOf } from "./replacement-obstacles.ts"
import { type Relation, type Server, texts } from "./replacement-server.ts"
import { compare, PROOF, type Rename } from "./replacement-structure.ts"
import { patience, rename, type Swap } from "./replacement-swap.ts"

interface PartitionSwap extends Swap {
  readonly column: string
  readonly value: string
}

interface Partition extends Relation {
  /** As in `FOR VALUES IN ('a')`. */
  readonly bound: string
  /** What holds for each of its rows. */
  readonly condition: string
}

/** Puts the stage in the place of the partition for exactly one value; false, with nothing done, where that cannot be. */
export async function swapPartition(server: Server, request: PartitionSwap): Promise<boolean> {
  const { query, run, session } = server
  const { table, stage, lockTimeoutMs } = request
  const found = await find(server, request)
  if (found === undefined) return false
  const before = await examine(server, request, found)
  if (before.obstacles.length > 0) {
    const fields = { partition: found.sql, because: before.obstacles.join("; ") }
    session.log.info("The partition is not exchanged: its rows are deleted and inserted", fields)
    return false
  }
  // Proves to ATTACH PARTITION, before any reader has to wait, that every row belongs there.
  await run([`ALTER TABLE ${stage.sql} ADD CONSTRAINT ${PROOF} CHECK (${found.condition})`])
  await server.runAsCaller(`ANALYZE ${stage.sql}`)
  const wait = patience(lockTimeoutMs)
  for (const { sql } of [table, found, stage]) await run([wait(), `LOCK TABLE ONLY ${sql} IN ACCESS EXCLUSIVE MODE`])
  const partition = await find(server, request)
  const { renames, obstacles } =
    partition?.oid === found.oid
      ? await examine(server, request, partition)
      : { renames: [], obstacles: ["it is gone"] }
  if (partition === undefined || obstacles.length > 0) {
    const what = `Cannot replace partition ${found.sql} of ${table.sql}`
    throw session.failure("conflict", `${what}: ${obstacles.join("; ")}`, { retryable: true })
  }
  const numbered = await numberedColumns(server, table)
  await run([wait(), ...(await takeOver(query, partition, stage))])
  const after = await bringAlong(query, { table: partition, stage, renames })
  await run([
    wait(),
    ...numbered.map((name) => `ALTER TABLE ${stage.sql} ALTER COLUMN ${quoteIdentifier(name)} DROP DEFAULT`),
    `ALTER TABLE ${table.sql} DETACH PARTITION ${partition.sql}`,
    `DROP TABLE ${partition.sql}`,
    rename(stage, partition),
    ...(stage.schema === partition.schema ? [] : [move(stage, partition)]),
    `ALTER TABLE ${table.sql} ATTACH PARTITION ${partition.sql} ${partition.bound}`,
    `ALTER TABLE ${partition.sql} DROP CONSTRAINT ${PROOF}`,
    ...after,
  ])
  return true
}

/** What speaks against the exchange, and what the stage's parts have to be called. */
async function examine(
  server: Server,
  { table, stage }: PartitionSwap,
  partition: Partition,
): Promise<{ readonly renames: readonly Rename[]; readonly obstacles: readonly string[] }> {
  const obstacles = await obstaclesOf(server, partition, { isPartition: true })
  if (partition.kind !== "r") return { renames: [], obstacles }
  const assigned = await numberedColumns(server, table)
  const { renames, differences } = await compare(server.query, { table: partition, stage, assigned })
  if (differences.length > 0) return { renames, obstacles: [...obstacles, `it has its own ${differences.join(", ")}`] }
  return { renames, obstacles }
}

/** The partition that holds the rows with this value, and no others. */
async function find(server: Server, { table, column, value }: PartitionSwap): Promise<Partition | undefined> {
  const { query } = server
  const [key] = await query(KEY, [table.oid, column])
  if (key === undefined) return undefined
  const [type, base] = key as [string, string]
  const candidates = (await query(BOUNDS, [table.oid])).flatMap(([oid, bound]) => {
    const ends = endsOf(bound!)
    // A list has one end, and only types whose next value is known can have a range of one value.
    if (ends === undefined || (ends.length === 2 && !COUNTABLE.has(base))) return []
    return [`(${oid}::oid, ${ends.map(quoteLiteral).join(", ")}${ends.length === 1 ? ", NULL" : ""})`]
  })
  if (candidates.length === 0) return undefined
  const next = COUNTABLE.get(base)
  const [row] = await query(
    `SELECT c.oid, n.nspname, c.relname, c.relkind, pg_get_expr(c.relpartbound, c.oid), pg_get_partition_constraintdef(c.oid)
     FROM (VALUES ${candidates.join(", ")}) AS b(oid, low, high) JOIN pg_class c ON c.oid = b.oid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE b.low::${type} = $1::text::${type}${next === undefined ? "" : ` AND (b.high IS NULL OR b.high::${next} = $1::text::${next} + 1)`}`,
    [value],
  )
  if (row === undefined) return undefined
  const [oid, schema, name, kind, bound, condition] = row as [string, string, string, string, string, string]
  const sql = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
  return { oid, schema, name, kind, sql, bound, condition }
}

/** The one value of a list, or both ends of a range, without their quotes; absent for anything else. */
export function endsOf(bound: string): readonly string[] | undefined {
  const list = LIST.exec(bound)
  const range = RANGE.exec(bound)
  const ends = list?.slice(1) ?? range?.slice(1)
  if (ends === undefined || ends.some((end) => UNBOUNDED.has(end!))) return undefined
  return ends.map((end) => {
    if (end!.startsWith("E'")) return end!.slice(2, -1).replaceAll("''", "'").replaceAll("\\\\", "\\")
    return end!.startsWith("'") ? end!.slice(1, -1).replaceAll("''", "'") : end!
  })
}

const VALUE = "(E?'(?:[^']|'')*'|[^',()\\s]+)"
const LIST = new RegExp(`^FOR VALUES IN \\(${VALUE}\\)$`)
const RANGE = new RegExp(`^FOR VALUES FROM \\(${VALUE}\\) TO \\(${VALUE}\\)$`)
const UNBOUNDED: ReadonlySet<string | undefined> = new Set(["MINVALUE", "MAXVALUE", "NULL", undefined])

/** Types whose values have a next one, and in what it is counted without overflow. */
const COUNTABLE: ReadonlyMap<string, string> = new Map([
  ["date", "date"],
  ["int2", "numeric"],
  ["int4", "numeric"],
  ["int8", "numeric"],
])

function move(stage: Relation, { schema, name }: Relation): string {
  const sql = `${quoteIdentifier(stage.schema)}.${quoteIdentifier(name)}`
  return `ALTER TABLE ${sql} SET SCHEMA ${quoteIdentifier(schema)}`
}

function numberedColumns({ query }: Server, table: Relation): Promise<readonly string[]> {
  return texts(query, NUMBERED, [table.oid])
}

const NUMBERED = "SELECT attname FROM pg_attribute WHERE attrelid = $1::oid AND attidentity <> '' AND NOT attisdropped"

/** The type of the column without its length, by which a cast would cut, if the table is partitioned by it alone. */
const KEY = `
  SELECT format('%I.%I', n.nspname, t.typname), t.typname
  FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
  JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE p.partrelid = $1::oid AND a.attname = $2 AND p.partnatts = 1 AND p.partstrat IN ('l', 'r')`

const BOUNDS = `
  SELECT c.oid, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = $1::oid`
