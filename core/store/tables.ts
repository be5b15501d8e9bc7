import { type ColumnKit, postgresKit, sqliteKit } from "./column-kit.ts"
import { accessTables } from "./tables/access-tables.ts"
import { engineTables } from "./tables/engine-tables.ts"
import { flowTables } from "./tables/flow-tables.ts"
import { jobTables } from "./tables/job-tables.ts"
import { triggerTables } from "./tables/trigger-tables.ts"

/**
 * Every table of the store. Keys and indexes stand in the migrations, which make the tables; a test holds both to each
 * other. In the database the names are in snake case.
 */
function tablesOf(kit: ColumnKit) {
  return { ...accessTables(kit), ...flowTables(kit), ...jobTables(kit), ...triggerTables(kit), ...engineTables(kit) }
}

export type Tables = ReturnType<typeof tablesOf>

export const sqliteTables: Tables = tablesOf(sqliteKit)
export const postgresTables: Tables = tablesOf(postgresKit)
