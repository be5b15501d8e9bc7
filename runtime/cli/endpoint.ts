import { closestName } from "../../core/flow/closest-name.ts"
import { isSqlitePath } from "../sources/data-sources.ts"

/** One end of a copy: a table of a data source, or CSV files. */
export type Endpoint =
  | { readonly kind: "table"; readonly dataSource: string; readonly table: string }
  | { readonly kind: "csv"; readonly path: string; readonly delimiter: string }

export interface EndpointFault {
  readonly message: string
  readonly hint: string
}

/**
 * Reads one end of a copy. The first rule that fits wins: a path that ends in `.csv` or `.tsv`, maybe with `.gz` or `.zst`;
 * a path that ends in `.db`, `.sqlite` or `.sqlite3`, a colon, and a table; a declared data source, a dot and a table; such
 * a path, a dot and a table. So what looks like a file is one, whatever data sources somebody declares later.
 */
export function readEndpoint(text: string, names: readonly string[]): Endpoint | EndpointFault {
  const csv = /\.(csv|tsv)(\.gz|\.gzip|\.zst|\.zstd)?$/i.exec(text)
  if (csv !== null) return { kind: "csv", path: text, delimiter: csv[1]!.toLowerCase() === "tsv" ? "\\t" : "," }
  const sqlite = /^(.+?\.(?:db|sqlite3|sqlite))([:.])(.+)$/i.exec(text)
  const file = sqlite === null ? undefined : ({ kind: "table", dataSource: sqlite[1]!, table: sqlite[3]! } as const)
  if (file !== undefined && sqlite?.[2] === ":") return file
  const bare = text.replace(/[.:]$/, "")
  if (names.includes(bare) || isSqlitePath(bare)) return withoutTable(bare, names)
  // The longest name, since names may hold dots.
  const name = names.filter((each) => text.startsWith(`${each}.`)).toSorted((a, b) => b.length - a.length)[0]
  if (name !== undefined) return { kind: "table", dataSource: name, table: text.slice(name.length + 1) }
  return file ?? fault(text, names)
}

function withoutTable(text: string, names: readonly string[]): EndpointFault {
  const separator = names.includes(text) ? "." : ":"
  return { message: `Cannot copy "${text}": it names no table`, hint: `Write ${text}${separator}TABLE` }
}

function fault(text: string, names: readonly string[]): EndpointFault {
  const message = `Cannot tell what "${text}" is`
  const source = text.split(".")[0] ?? text
  const near = text.includes(".") ? closestName(source, names) : undefined
  if (near !== undefined) return { message: `There is no data source "${source}"`, hint: `Did you mean "${near}"?` }
  const some = names.length === 0 ? "" : ` (there are ${names.join(", ")})`
  return { message, hint: `Write SOURCE.TABLE${some}, a file ending in .csv or .tsv, or FILE.db:TABLE` }
}
