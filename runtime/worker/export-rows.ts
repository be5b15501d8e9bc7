import { resolve } from "node:path"
import { Effect } from "effect"
import { type KeptRow, Quarantine } from "../../core/store/quarantine.ts"
import { Settings } from "../settings.ts"
import { asked } from "../store/store.ts"
import { lineOf, mapped, writeLines } from "./rejected-rows.ts"
import { refused } from "./stored-run.ts"

export interface ExportRequest {
  readonly run: string
  readonly step: string | undefined
  readonly file: string
}

/** Writes the waiting rows of a run to a file of the kind that its ending says; a file that is there is replaced. Resolves to their number. */
export const exportRows = Effect.fnUntraced(function* ({ run, step, file }: ExportRequest) {
  const { cwd } = yield* Settings
  const quarantine = yield* Quarantine
  const filter = { run, status: "waiting" as const, ...(step === undefined ? {} : { step }) }
  return yield* exportTo(resolve(cwd, file), () => quarantine.rows(filter))
})

/** Of rows that can be read more than once. */
export const exportTo = Effect.fnUntraced(function* (path: string, rows: () => AsyncIterable<KeptRow>) {
  if (/\.jsonl$/i.test(path))
    return yield* asked(() =>
      writeLines(
        path,
        "w",
        mapped(rows(), (row) => JSON.stringify(lineOf(row))),
      ),
    )
  if (/\.csv$/i.test(path)) {
    const lines = yield* asked(() => writeLines(path, "w", csvLines(rows)))
    return Math.max(lines - 1, 0)
  }
  return yield* refused(`Cannot export to "${path}": its ending says no kind of file`, "Write FILE.jsonl or FILE.csv")
})

/** Facts of the rows first, then the columns of all records. With no rows there is no header either. */
async function* csvLines(rows: () => AsyncIterable<KeptRow>): AsyncGenerator<string> {
  const columns = new Set<string>()
  for await (const { record } of rows()) for (const name of Object.keys(record ?? {})) columns.add(name)
  let isFirst = true
  for await (const row of rows()) {
    if (isFirst) yield [...FACTS.map((fact) => headerOf(fact, columns)), ...columns].map(quoted).join(",")
    isFirst = false
    const facts = FACTS.map((fact) => row[fact])
    const values = [...columns].map((name) =>
      row.record !== undefined && Object.hasOwn(row.record, name) ? row.record[name] : undefined,
    )
    yield [...facts, ...values].map(quoted).join(",")
  }
}

const FACTS = ["id", "step", "position", "row", "column", "value", "reason", "code"] as const

/** Columns of rows keep their names; `id` is a common one. */
function headerOf(fact: string, columns: ReadonlySet<string>): string {
  let name = `_${fact}`
  while (columns.has(name)) name = `_${name}`
  return name
}

/** RFC 4180; NULL is an empty field, the empty text is in quotes. */
function quoted(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ""
  const text = String(value)
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
