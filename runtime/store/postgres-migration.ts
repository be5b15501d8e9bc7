import { StoreError } from "../../core/store/store-error.ts"
import type { PostgresLink } from "./postgres-link.ts"

/** Brings the schema to the version of the last step: all of the way, or not at all. Servers take turns. */
export async function migrateSchema(link: PostgresLink, schema: string, steps: readonly string[]): Promise<void> {
  if ((await versionOf(link, schema, steps.length)) === steps.length) return
  await link.run("BEGIN")
  try {
    await link.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`headrace migration ${schema}`])
    const found = await versionOf(link, schema, steps.length)
    if (found === undefined) {
      // A role that may not make schemas may use one that somebody has made for it.
      const [made] = await link.query("SELECT FROM pg_namespace WHERE nspname = $1", [schema])
      if (made === undefined) await link.run(`CREATE SCHEMA "${schema.replaceAll('"', '""')}"`)
      await link.run("CREATE TABLE store_version (version BIGINT NOT NULL); INSERT INTO store_version VALUES (0)")
    }
    for (let version = found ?? 0; version < steps.length; version++) await link.run(steps[version]!)
    await link.run(`UPDATE store_version SET version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (!link.isLost) await link.run("ROLLBACK").catch(() => undefined)
    throw error
  }
}

/** Undefined: there is no store yet. A newer one than `known` is refused. */
async function versionOf(link: PostgresLink, schema: string, known: number): Promise<number | undefined> {
  const named = "SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'store_version'"
  if ((await link.query(named, [schema])).length === 0) return undefined
  const [row] = await link.query("SELECT version FROM store_version", [])
  const version = Number(row?.version)
  if (version <= known) return version
  throw new StoreError({
    reason: "unsupported",
    message: `Cannot use the store in schema "${schema}": it is of version ${version}, this Headrace knows ${known}`,
    hint: "Use the newer Headrace that has made it",
  })
}
