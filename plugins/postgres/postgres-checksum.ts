import type { ColumnChecksum, TableColumn } from "../../core/contract/index.ts"

/** The contract's checksum of a column in PostgreSQL's SQL, under the pinned session; `value` is its quoted name. */
export function checksum(column: TableColumn, value: string): ColumnChecksum | undefined {
  const hashed = form(column, value)
  if (hashed === undefined || typeof hashed === "object") return hashed
  return { by: "sql", sql: `sum(('x' || substr(md5(${hashed}), 1, 8))::bit(32)::int8)` }
}

function form({ type, native }: TableColumn, value: string): string | ColumnChecksum | undefined {
  const declared = native?.type ?? ""
  switch (type.kind) {
    case "boolean":
    case "int16":
    case "int32":
    case "int64":
    case "uint64":
    case "date":
    case "time":
    case "timestamp":
    case "uuid":
      return `${value}::text`
    // Adding 0 gives all zeros one sign.
    case "float32":
      return `float4send(CASE WHEN ${value} = 'NaN' THEN 'NaN'::float4 ELSE ${value} + 0::float4 END)`
    case "float64":
      return `float8send(CASE WHEN ${value} = 'NaN' THEN 'NaN'::float8 ELSE ${value} + 0::float8 END)`
    case "decimal":
      // trim_scale() is younger than some servers. The scale of NaN is NULL.
      return `CASE WHEN scale(${value}) > 0 THEN rtrim(rtrim(${value}::text, '0'), '.') ELSE ${value}::text END`
    case "bytes":
      return `${value}::bytea`
    case "string": {
      const text = `${value}::text`
      if (type.fixed === true) return inUtf8(`rtrim(${text}, ' ')`)
      // Its cast to text would take the blanks at the end.
      if (declared === "bpchar") return `bpcharsend(${value})`
      return /^(text|name|character varying)/.test(declared) ? inUtf8(text) : undefined
    }
    case "json":
      if (declared === "json") return inUtf8(`${value}::text`)
      return { by: "count", why: "jsonb keeps a form of its own" }
    case "interval":
      return { by: "count", why: "an interval keeps a form of its own" }
    case "native":
      return undefined
  }
}

/** The server may keep text in another encoding. */
function inUtf8(text: string): string {
  return `convert_to(${text}, 'UTF8')`
}
