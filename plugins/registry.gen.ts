// Made by "bun run registry".
import type { Plugin } from "../core/contract/index.ts"
import arrowPlugin from "./arrow/plugin.ts"
import csvPlugin from "./csv/plugin.ts"
import mysqlPlugin from "./mysql/plugin.ts"
import postgresPlugin from "./postgres/plugin.ts"
import rowsPlugin from "./rows/plugin.ts"
import selectPlugin from "./select/plugin.ts"
import sqlitePlugin from "./sqlite/plugin.ts"

/** The built-in plugins, by name. */
export const plugins: readonly Plugin[] = [arrowPlugin, csvPlugin, mysqlPlugin, postgresPlugin, rowsPlugin, selectPlugin, sqlitePlugin]
