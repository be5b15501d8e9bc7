import type { Connection, Database, Issue, Session, TableInfo } from "../contract/index.ts"
import { excess } from "./create-table.ts"
import type { DatabaseOutputOptions } from "./options.ts"
import { OLD_SUFFIX, replacementNames } from "./replace.ts"
import { partitionOf } from "./replace-checks.ts"
import { shownTable } from "./table-name.ts"

/** What speaks against replacing the table as the options say; found before anything is loaded. */
export async function replaceIssues(
  database: Database,
  connection: Connection,
  config: DatabaseOutputOptions,
  info: TableInfo,
  session: Session,
): Promise<readonly Issue[]> {
  const table = shownTable(info.table)
  if (config.mode !== "replaceTable") {
    if (config.partition === undefined) return []
    return [
      { severity: "error", message: `Option "partition" goes with mode "replaceTable", not with "${config.mode}"` },
    ]
  }
  const issues: Issue[] = []
  if (config.ledger === "off") {
    issues.push({
      severity: "error",
      message: `Cannot replace table "${table}" without a ledger, which keeps what is staged apart from what is not ours`,
      hint: 'Set ledger to "auto" or "required"',
    })
  }
  const longest = `${info.table.name}${OLD_SUFFIX}`
  const tooLong = excess(longest, database.dialect)
  if (tooLong !== undefined) {
    issues.push({
      severity: "error",
      message: `Cannot replace table "${table}" with the help of "${longest}": ${tooLong}`,
      hint: "Use a shorter name for the table",
    })
  }
  if (config.partition !== undefined) partitionOf(info, config, session)
  else if (config.replaceBy === "swap" && connection.replacement !== undefined) {
    const exists = (await connection.describeTable(info.table)) !== undefined
    const obstacles = exists ? await connection.replacement.obstacles(replacementNames(info.table).table) : []
    for (const obstacle of obstacles) {
      issues.push({
        severity: "error",
        message: `Cannot replace table "${table}": ${obstacle}`,
        hint: 'Set replaceBy to "rewrite", which deletes and inserts the rows in one transaction and keeps the table',
      })
    }
  }
  return issues
}

/** What speaks against proving with checksums that the table holds what was written. */
export function verifyIssues({ verify, mode, keyColumns, ledger }: DatabaseOutputOptions): readonly Issue[] {
  if (verify === "none") return []
  const repeats =
    mode === "overwriteRows" || mode === "updateRows" || (mode === "replaceTable" && keyColumns !== undefined)
  if (repeats) {
    return [
      {
        severity: "error",
        message: "Cannot verify by checksum where a row may take the place of another: the sums would differ",
        hint: "Use mode append, or replaceTable without keyColumns",
      },
    ]
  }
  if (ledger !== "off") return []
  return [
    { severity: "error", message: "Cannot verify by checksum without a ledger, which keeps the sums of every split" },
  ]
}
