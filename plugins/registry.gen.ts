// Made by "bun run registry".
import type { Plugin } from "../core/contract/index.ts"
import postgresPlugin from "./postgres/plugin.ts"
import sqlitePlugin from "./sqlite/plugin.ts"

/** The built-in plugins, by name. */
export const plugins: readonly Plugin[] = [postgresPlugin, sqlitePlugin]
