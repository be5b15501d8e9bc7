import type { Replacement, TableName } from "../../core/contract/index.ts"
import { qualified } from "./catalog.ts"
import type { Link } from "./postgres-connection.ts"
import { settingStatements } from "./replacement-keep.ts"
import { obstaclesOf } from "./replacement-obstacles.ts"
import { swapPartition } from "./replacement-partition.ts"
import { type Relation, type Server, serve, texts } from "./replacement-server.ts"
import { patience, swap } from "./replacement-swap.ts"

/**
 * Replaces a table by dropping it and giving its name to the stage, in one transaction. A query that has begun is waited
 * for, one that comes meanwhile waits, and then finds the new rows. A transaction of isolation REPEATABLE READ or
 * SERIALIZABLE that began before the load and has not touched the table yet finds it empty: PostgreSQL does not keep
 * old versions of what is created, dropped or truncated.
 */
export function replacement(link: Link): Replacement {
  return {
    isTransactional: true,
    obstacles(table) {
      const action = `examine table ${qualified(table)}`
      return serve(link, { action, tables: [table] }, (server, [found]) =>
        obstaclesOf(server, found, { isPartition: false }),
      )
    },
    createStage(table, stage) {
      const action = `create table ${qualified(stage)} in the likeness of ${qualified(table)}`
      return serve(link, { action, tables: [table] }, (server, [found]) => createStage(server, found, stage))
    },
    swap(names) {
      const action = `replace table ${qualified(names.table)}`
      return serve(link, { action, tables: [names.table, names.stage] }, (server, [table, stage]) =>
        swap(server, { table, stage, lockTimeoutMs: names.lockTimeoutMs }),
      )
    },
    swapPartition(request) {
      const action = `replace the partition of table ${qualified(request.table)} for "${request.value}"`
      return serve(link, { action, tables: [request.table, request.stage] }, (server, [table, stage]) =>
        swapPartition(server, { ...request, table, stage }),
      )
    },
  }
}

/**
 * Indexes and foreign keys are there before the rows come, so that each row is checked by itself. The stage of a
 * partition draws its numbers where the partitioned table does.
 */
async function createStage({ query, run, session }: Server, table: Relation, name: TableName): Promise<void> {
  if (table.kind !== "r" && table.kind !== "p")
    throw session.failure("unsupported", `Cannot create a table in the likeness of ${table.sql}: it is no table`)
  const sql = qualified({ schema: name.schema ?? table.schema, name: name.name })
  const [[persistence, place] = []] = await query(STORED, [table.oid])
  const like = `LIKE ${table.sql} INCLUDING ALL${table.kind === "p" ? " EXCLUDING IDENTITY" : ""}`
  // Writers of a table that a foreign key leads to would have to wait with us.
  const wait = patience(session.settings.statementTimeoutMs)
  await run([
    wait(),
    `CREATE ${persistence} TABLE ${sql} (${like})${place}`,
    ...(table.kind === "p" ? await texts(query, NUMBERS, [table.oid, sql]) : []),
    ...(await texts(query, FOREIGN_KEYS, [table.oid, sql])),
    ...(await settingStatements(query, table, { oid: "0", sql })),
  ])
}

const STORED = `
  SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE '' END,
    concat(' USING ' || quote_ident(a.amname), ' TABLESPACE ' || quote_ident(t.spcname))
  FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
  WHERE c.oid = $1::oid`

const NUMBERS = `
  SELECT format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT nextval(%L)', $2::text, a.attname, d.objid::regclass)
  FROM pg_attribute a JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i'
  WHERE a.attrelid = $1::oid AND NOT a.attisdropped ORDER BY a.attnum`

/** One that leads to a partitioned table has others below it, which come with it; a partition never refers to itself. */
const FOREIGN_KEYS = `
  SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', $2::text, k.conname,
    CASE WHEN k.confrelid <> k.conrelid THEN pg_get_constraintdef(k.oid)
      ELSE replace(pg_get_constraintdef(k.oid), format(' REFERENCES %I.%I(', n.nspname, c.relname), format(' REFERENCES %s(', $2::text)) END)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE k.conrelid = $1::oid AND k.contype = 'f' AND NOT (c.relkind = 'p' AND k.confrelid = k.conrelid)
    AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
  ORDER BY k.conname`
