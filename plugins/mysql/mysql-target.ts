import type { LoadRequest, TableColumn } from "../../core/contract/index.ts"
import type { Chunk } from "./mysql-chunk.ts"
import { type UniqueKey, uniqueKeys } from "./mysql-describe.ts"
import { qualified, quote } from "./mysql-dialect.ts"
import type { Link } from "./mysql-link.ts"
import { isOpaque } from "./mysql-types.ts"

/** The statements of one load. */
export interface Target {
  readonly keys: readonly UniqueKey[]
  /** Where rows are sent: the table itself, or a temporary one that the key modes merge from. */
  readonly into: string
  /** IGNORE turns what is wrong with rows into warnings, which name all of them at once. REPLACE keeps errors. */
  readonly verb: "IGNORE" | "REPLACE"
  /** Empties and makes ready what is sent to; absent for the table itself. */
  readonly stage?: { readonly create: string; readonly clear: string; readonly merge: readonly string[] }
  loadSql(): string
  insertSql(chunk: Chunk, rows: readonly number[], verb: "" | "IGNORE" | "REPLACE"): string
}

export async function targetOf(link: Link, request: LoadRequest): Promise<Target> {
  const table = qualified(request.table)
  const keys = await uniqueKeys(link, request.table)
  const { columns, keyColumns, mode } = request
  if (mode === "append") return { keys, into: table, verb: "IGNORE", ...sendingTo(table, "IGNORE", columns) }
  // REPLACE goes by every unique key, so it may only be used where the one that is meant is the only one.
  if (mode === "overwriteRows" && keys.length === 1 && sameNames(keys[0]!.columns, keyColumns)) {
    return { keys, into: table, verb: "REPLACE", ...sendingTo(table, "REPLACE", columns) }
  }
  const stage = qualified({ ...request.table, name: STAGE })
  return {
    keys,
    into: stage,
    verb: "REPLACE",
    stage: stageSql(table, stage, { ...request, index: keys.find((key) => sameNames(key.columns, keyColumns))?.name }),
    ...sendingTo(stage, "REPLACE", columns),
  }
}

function sendingTo(
  table: string,
  verb: "IGNORE" | "REPLACE",
  columns: readonly TableColumn[],
): Pick<Target, "loadSql" | "insertSql"> {
  const names = columns.map(({ name }) => quote(name)).join(", ")
  const expressions = columns.map(expressionOf)
  const fields = columns.map(({ name }, i) => (expressions[i] ? `@headrace_${i}` : quote(name)))
  const sets = columns.flatMap(({ name }, i) => {
    const expression = expressions[i]
    return expression ? [`${quote(name)} = ${expression(`@headrace_${i}`)}`] : []
  })
  return {
    loadSql: () =>
      `LOAD DATA LOCAL INFILE 'headrace' ${verb} INTO TABLE ${table} CHARACTER SET utf8mb4 ` +
      "FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' " +
      `(${fields.join(", ")})${sets.length > 0 ? ` SET ${sets.join(", ")}` : ""}`,
    insertSql(chunk, rows, insertVerb) {
      const tuples = rows.map((row) => {
        // The escapes of LOAD DATA are those of an SQL text as well; only the quote is missing.
        const values = chunk.fields(row).map((field, i) => {
          if (field === "\\N") return "NULL"
          const text = `'${field.replaceAll("'", "''")}'`
          return expressions[i]?.(text) ?? text
        })
        return `(${values.join(",")})`
      })
      const start = insertVerb === "REPLACE" ? "REPLACE" : insertVerb === "IGNORE" ? "INSERT IGNORE" : "INSERT"
      return `${start} INTO ${table} (${names}) VALUES ${tuples.join(",")}`
    },
  }
}

/** What a field's text must go through, where the column would not take it as it is. */
function expressionOf(column: TableColumn): ((field: string) => string) | undefined {
  if (column.type.kind === "bytes" || isOpaque(column.type)) return (field) => `UNHEX(${field})`
  if (/^bit\b/i.test(column.native?.type ?? "")) return (field) => `CAST(${field} AS UNSIGNED)`
  return undefined
}

/**
 * A temporary table whose only unique key is the one that rows are found by: sending rows there with REPLACE leaves
 * the last of each key, as the table's own collation sees keys. The table is looked up by its key for each row of the
 * stage: left to itself, a server that takes the stage for large or the table for small reads, and locks, all of it.
 */
function stageSql(
  table: string,
  stage: string,
  request: LoadRequest & { readonly index: string | undefined },
): NonNullable<Target["stage"]> {
  const { columns, keyColumns, mode, index } = request
  const names = columns.map(({ name }) => quote(name))
  const keys = keyColumns.map(quote)
  const found = `${table} AS t${index === undefined ? "" : ` FORCE INDEX (${quote(index)})`}`
  const match = keys.map((key) => `t.${key} = s.${key}`).join(" AND ")
  const changed = columns.map(({ name }) => name).filter((name) => !keyColumns.includes(name))
  const sets = changed.map((name) => `t.${quote(name)} = s.${quote(name)}`).join(", ")
  const known =
    mode === "overwriteRows"
      ? [`DELETE t FROM ${stage} AS s STRAIGHT_JOIN ${found} ON ${match}`]
      : changed.length > 0
        ? [`UPDATE ${stage} AS s STRAIGHT_JOIN ${found} ON ${match} SET ${sets}`]
        : []
  const staged = names.map((name) => `s.${name}`).join(", ")
  return {
    create:
      `CREATE TEMPORARY TABLE ${stage} (headrace_order BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, ` +
      `UNIQUE KEY headrace_key (${keys.join(", ")})) ENGINE=InnoDB AS SELECT ${names.join(", ")} FROM ${table} WHERE FALSE`,
    clear: `DELETE FROM ${stage}`,
    merge: [
      ...known,
      `INSERT INTO ${table} (${names.join(", ")}) SELECT ${staged} FROM ${stage} AS s ` +
        `LEFT JOIN ${found} ON ${match} WHERE t.${keys[0]} IS NULL ORDER BY s.headrace_order`,
    ],
  }
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  const names = (list: readonly string[]) =>
    [...list]
      .map((name) => name.toLowerCase())
      .sort()
      .join("\0")
  return names(left) === names(right)
}

const STAGE = "headrace_stage"
