import type { ColumnChecksum, TableColumn } from "../../core/contract/index.ts"

/** The contract's checksum of a column in MySQL's SQL, under the pinned session; `value` is its quoted name. */
export function checksum(column: TableColumn, value: string): ColumnChecksum | undefined {
  const hashed = form(column, value)
  if (hashed === undefined || typeof hashed === "object") return hashed
  // CONV gives text, and a sum of texts would be a DOUBLE.
  return { by: "sql", sql: `SUM(CAST(CONV(SUBSTR(MD5(${hashed}), 1, 8), 16, 10) AS UNSIGNED))` }
}

function form({ type, native }: TableColumn, value: string): string | ColumnChecksum | undefined {
  const declared = native?.type.toLowerCase() ?? ""
  switch (type.kind) {
    case "boolean":
      return `ELT(${value} + 1, 'false', 'true')`
    case "int16":
    case "int32":
    case "int64":
    case "uint64":
      return `CAST(${bare(value, declared)} AS CHAR)`
    case "decimal": {
      const text = `CAST(${bare(value, declared)} AS CHAR)`
      return type.scale === 0 ? text : withoutZeros(text)
    }
    // Neither FLOAT nor DOUBLE has a function that gives its bits.
    case "float32":
    case "float64":
      return undefined
    case "bytes":
      return value
    case "date":
    case "uuid":
      return `CAST(${value} AS CHAR)`
    case "timestamp": {
      const text = withoutZeros(`DATE_FORMAT(${value}, '%Y-%m-%d %H:%i:%s.%f')`)
      return type.zone ? `CONCAT(${text}, '+00')` : text
    }
    case "time":
    case "interval":
      if (!declared.startsWith("time")) return undefined
      return /^time\([1-6]\)/.test(declared) ? withoutZeros(`CAST(${value} AS CHAR)`) : `CAST(${value} AS CHAR)`
    case "string":
      if (/^(set|inet4|inet6)\b/.test(declared))
        return { by: "count", why: `${declared.replace(/\(.*/s, "")} keeps a form of its own` }
      // The column may hold another character set.
      return `CONVERT(${type.fixed === true ? `RTRIM(${value})` : value} USING utf8mb4)`
    case "json":
      return { by: "count", why: "JSON may be kept in a form of the server's own" }
    case "native":
      return undefined
  }
}

/** A number without the zeros that ZEROFILL and YEAR put in front of it; a BIT as a number. */
function bare(value: string, declared: string): string {
  return /^(year|bit)\b|\bzerofill\b/.test(declared) ? `${value} + 0` : value
}

/** Of a text that has a point. */
function withoutZeros(text: string): string {
  return `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM ${text}))`
}
