import type { Column, LoadRequest, LogicalType, TableColumn } from "../../core/contract/index.ts"
import type { Facts } from "./mysql-link.ts"
import { logicalType } from "./mysql-types.ts"

/**
 * Whether `TAB_SEPARATED` text of these columns may be given to LOAD DATA unread: for every pair of columns, each
 * value ends up as it would by way of batches, or the server warns, and then the rows do go by way of batches.
 *
 * What makes a server store another value without a word is kept out by type: digits that a narrower scale or
 * precision rounds, trailing blanks that CHAR drops, NULL that makes TIMESTAMP and AUTO_INCREMENT fill themselves in,
 * numbers for ENUM and YEAR, bytes that BINARY pads.
 */
export function isForwardable(
  { columns, mode, input }: Pick<LoadRequest, "columns" | "mode"> & { readonly input: readonly Column[] },
  server: Pick<Facts, "mariadb" | "version">,
): boolean {
  const pairs = columns.map((to, i) => ({ to, from: input[i]!, way: wayOf(input[i]!, to) }))
  if (pairs.some(({ way }) => way === undefined)) return false
  // MySQL's own JSON rounds numbers, which batches are looked through for.
  if (!server.mariadb && columns.some(({ native }) => native?.type === "json")) return false
  if (remembersNull(server) && pairs.some(({ from, to }) => from.nullable && !to.nullable)) return false
  // Batches are checked before they come here, and what is rejected there shows the row as the source has it.
  const checked = pairs.some(
    ({ from, to, way }) => way === "checked" || (from.nullable && (!to.nullable || mode !== "append")),
  )
  return !checked || pairs.every(({ from, to, way }) => from.name === to.name && way !== "respelled")
}

/**
 * `same`: its canonical text is the same in both types. `respelled`: it is another text for the same value.
 * `checked`: the same, of values that are not too long.
 */
type Way = "same" | "respelled" | "checked"

function wayOf(from: Column, to: TableColumn): Way | undefined {
  if (to.native === undefined || (fillsItself(to) && !isNeverNull(from))) return undefined
  const declared = to.native.type.toLowerCase()
  const name = /^\w+/.exec(declared)?.[0] ?? ""
  const type = logicalType({ type: declared })
  return fit(from.type, type, name, declared)
}

function fit(from: LogicalType, to: LogicalType, name: string, declared: string): Way | undefined {
  switch (from.kind) {
    case "boolean":
      // Its text is 0 or 1; a row that is rejected is read as what its source calls boolean.
      return INTEGERS.has(name) || declared === "bit(1)" ? "same" : undefined
    case "int16":
    case "int32":
    case "int64":
      return INTEGERS.has(name) && (RANK[to.kind] ?? 0) >= RANK[from.kind]! ? "same" : undefined
    case "float32":
      return declared === "float" ? "same" : undefined
    case "float64":
      return declared === "double" ? "same" : undefined
    case "decimal":
      return to.kind === "decimal" ? decimalFit(from, to) : undefined
    case "date":
      return declared === "date" ? "same" : undefined
    case "time":
      return name === "time" && digitsOf(declared) >= (from.precision ?? 6) ? "same" : undefined
    case "timestamp":
      if (to.kind !== "timestamp" || to.zone !== from.zone) return undefined
      return digitsOf(declared) >= (from.precision ?? 6) ? "same" : undefined
    case "string":
      return stringFit(from.length, to, name)
    case "json":
      return to.kind === "json" || TEXTS.has(name) ? "same" : undefined
    case "interval":
    case "native":
      return TEXTS.has(name) || (name === "varchar" && lengthOf(to) >= 255 && from.kind === "interval")
        ? "same"
        : undefined
    case "uuid":
      return to.kind === "uuid" || TEXTS.has(name) || (CHARACTERS.has(name) && lengthOf(to) >= 36) ? "same" : undefined
    case "bytes":
      return BLOBS.has(name) ? "same" : undefined
    default:
      return undefined
  }
}

function decimalFit(
  from: Extract<LogicalType, { kind: "decimal" }>,
  to: Extract<LogicalType, { kind: "decimal" }>,
): Way | undefined {
  if (from.precision === undefined) return undefined
  const [scale, places] = [from.scale ?? 0, to.scale ?? 0]
  if (places < scale || (to.precision ?? 0) - places < from.precision - scale) return undefined
  return places === scale ? "same" : "respelled"
}

function stringFit(length: number | undefined, to: LogicalType, name: string): Way | undefined {
  if (TEXTS.has(name)) return "same"
  if (!CHARACTERS.has(name)) return undefined
  if (length !== undefined && length <= lengthOf(to)) return "same"
  return name === "varchar" ? "checked" : undefined
}

function lengthOf(type: LogicalType): number {
  return type.kind === "string" ? (type.length ?? 0) : 0
}

/** Digits of the second's fraction. */
function digitsOf(declared: string): number {
  return Number(/^\w+\((\d)\)/.exec(declared)?.[1] ?? 0)
}

/**
 * Old versions of MySQL do not forget that LOAD DATA has met NULL in a column that is NOT NULL: until the table is
 * closed, they refuse every row that anybody inserts into it. Seen in 5.7.22 and 8.0.15, no more in 9.7.
 */
function remembersNull({ mariadb, version }: Pick<Facts, "mariadb" | "version">): boolean {
  return !mariadb && Number.parseInt(version, 10) < 9
}

/** NULL makes the server put a value of its own there. */
function fillsItself(column: TableColumn): boolean {
  return !column.nullable && (column.identity || /^timestamp\b/i.test(column.native?.type ?? ""))
}

/** NOT NULL of a domain does not hold behind an outer join. */
function isNeverNull(column: Column): boolean {
  return (
    !column.nullable && /^(smallint|integer|bigint|timestamp(\(\d\))? with time zone)$/.test(column.native?.type ?? "")
  )
}

const RANK: Readonly<Record<string, number>> = { int16: 1, int32: 2, int64: 3 }
const INTEGERS = new Set(["tinyint", "smallint", "mediumint", "int", "integer", "bigint"])
const CHARACTERS = new Set(["char", "varchar"])
const TEXTS = new Set(["tinytext", "text", "mediumtext", "longtext"])
const BLOBS = new Set(["tinyblob", "blob", "mediumblob", "longblob"])
