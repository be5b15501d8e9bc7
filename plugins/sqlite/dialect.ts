import type { Column, Dialect } from "../../core/contract/index.ts"
import { affinity, columnType } from "./declared-type.ts"

export const dialect: Dialect = {
  quote,
  literal,
  columnType,
  sample(table, fraction) {
    const share = Math.ceil(Math.min(Math.max(fraction, 0), 1) * 2 ** 20)
    return { from: table, where: `(random() & ${2 ** 20 - 1}) < ${share}` }
  },
  // There is no MD5.
  checksum: ({ type, native }) =>
    type.kind === "json" && !["text", "blob"].includes(affinity(native?.type ?? ""))
      ? { by: "count", why: `${native?.type} keeps numbers in a form of its own` }
      : { by: "reading" },
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** A canonical instant ends in `+00`; SQLite's own functions want, and the output writes, `+00:00`. */
export const instantSuffix = ":00"

function literal(value: string, column?: Column): string {
  if (!column) return string(value)
  const { kind } = column.type
  if (kind === "boolean" && /^(?:t|true|1|f|false|0)$/i.test(value)) return /^[t1]/i.test(value) ? "1" : "0"
  if (kind === "bytes" && /^\\x(?:[0-9a-f]{2})*$/i.test(value)) return `X'${value.slice(2)}'`
  if (kind === "timestamp" && column.type.zone && /:\d\d(?:\.\d+)?[+-]\d\d$/.test(value))
    return string(value + instantSuffix)
  const numeric = !["text", "blob"].includes(affinity(columnType(column).type)) || /^(?:int|float)/.test(kind)
  return numeric && kind !== "string" && /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(value) ? value : string(value)
}

/** SQLite stops reading a statement at a NUL. */
function string(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`
  return quoted.includes("\0") ? `(${quoted.replaceAll("\0", "'||char(0)||'")})` : quoted
}
