import type { Dialect } from "../../core/contract/index.ts"
import { checksum } from "./postgres-checksum.ts"
import { columnType } from "./type-map.ts"

export const postgresDialect: Dialect = {
  identifierLimit: { most: 63, unit: "bytes" },
  quote: quoteIdentifier,
  forUpdate: " FOR UPDATE",
  insertOverriding: " OVERRIDING SYSTEM VALUE",
  literal(value, column) {
    const quoted = quoteLiteral(value)
    const native = column?.native
    return native?.system === "postgres" ? `${quoted}::${native.type}` : quoted
  },
  columnType: (column) => columnType(column),
  // SYSTEM reads whole pages: cheap on any size; a small table is read whole, or the sample could be empty.
  sample(table, fraction) {
    return { from: fraction >= 1 ? table : `${table} TABLESAMPLE SYSTEM (${Math.min(100, fraction * 100)})` }
  },
  checksum: (column) => checksum(column, quoteIdentifier(column.name)),
}

export function quoteIdentifier(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** Safe under any setting of standard_conforming_strings: backslashes only ever stand in an E string. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`
  return value.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted
}
