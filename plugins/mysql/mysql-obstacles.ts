import type { TableName } from "../../core/contract/index.ts"
import { isTransactional, located } from "./mysql-describe.ts"
import { quoted } from "./mysql-dialect.ts"
import { missingPrivileges } from "./mysql-grants.ts"
import type { Link } from "./mysql-link.ts"
import { structureOf } from "./mysql-structure.ts"

/** What a table would lose by an exchange of names, or what forbids it. */
export async function obstaclesOf(link: Link, table: TableName): Promise<readonly string[]> {
  const action = `Cannot look at the table "${table.name}"`
  const structure = await structureOf(link, table)
  if (structure.isTemporary) return ["it is a temporary table"]
  const [found] = await link.rows(
    action,
    `SELECT TABLE_TYPE, TABLE_SCHEMA FROM information_schema.TABLES WHERE ${located(table)}`,
  )
  if (!found) throw link.failure("missing", `${action}: it does not exist`)
  const [type, schema] = found
  const strange = KINDS.get(type ?? "")
  if (strange) return [strange]
  const { engine, safe } = await isTransactional(link, table)
  return [
    ...(safe ? [] : [`engine "${engine}" has no transactions`]),
    ...(structure.hasDirectory ? ["its files lie in a directory of its own (DATA DIRECTORY)"] : []),
    ...structure.checks.map((name) => `check "${name}" would get another name`),
    ...structure.foreignKeys.map((name) => `foreign key "${name}" belongs to it and would stay on the old table`),
    ...(await incomingKeys(link, table, action)),
    ...(await triggers(link, table, action)),
    ...(await lackingPrivileges(link, { schema: schema!, name: table.name }, action)),
  ]
}

async function incomingKeys(link: Link, table: TableName, action: string): Promise<readonly string[]> {
  const schema = table.schema === undefined ? "DATABASE()" : quoted(table.schema)
  const rows = await link.rows(
    action,
    `SELECT CONSTRAINT_NAME, CONSTRAINT_SCHEMA, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS
    WHERE UNIQUE_CONSTRAINT_SCHEMA = ${schema} AND REFERENCED_TABLE_NAME = ${quoted(table.name)}
    ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME`,
  )
  return rows.map(([key, from, name]) => `foreign key "${key}" of "${from}.${name}" would follow the old table`)
}

async function triggers(link: Link, table: TableName, action: string): Promise<readonly string[]> {
  const schema = table.schema === undefined ? "DATABASE()" : quoted(table.schema)
  const rows = await link.rows(
    action,
    `SELECT TRIGGER_NAME FROM information_schema.TRIGGERS
    WHERE EVENT_OBJECT_SCHEMA = ${schema} AND EVENT_OBJECT_TABLE = ${quoted(table.name)} ORDER BY TRIGGER_NAME`,
  )
  return rows.map(([name]) => `trigger "${name}" would stay on the old table`)
}

async function lackingPrivileges(
  link: Link,
  table: { readonly schema: string; readonly name: string },
  action: string,
): Promise<readonly string[]> {
  const grants = (await link.rows(action, "SHOW GRANTS")).map(([line]) => line ?? "")
  const lacking = missingPrivileges(grants, table, NEEDED)
  const unseen = missingPrivileges(grants, table, ["TRIGGER"])
  return [
    ...(lacking.length > 0 ? [`the user lacks privileges on it: ${lacking.join(", ")}`] : []),
    ...(unseen.length > 0 ? ["the user lacks the privilege TRIGGER, so triggers of it cannot be seen"] : []),
  ]
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ["VIEW", "it is a view"],
  ["SYSTEM VIEW", "it is a view"],
  ["SEQUENCE", "it is a sequence"],
  ["TEMPORARY", "it is a temporary table"],
  ["SYSTEM VERSIONED", "it is versioned by the system, and its history would be lost"],
])
/** What CREATE TABLE … LIKE and RENAME TABLE ask for. */
const NEEDED = ["SELECT", "INSERT", "CREATE", "ALTER", "DROP"]
