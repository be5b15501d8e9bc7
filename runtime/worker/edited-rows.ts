import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import { failure } from "../../core/host/failure.ts"
import type { TextRecord } from "../../core/quarantine/mend.ts"
import type { KeptRow, Quarantine } from "../../core/store/quarantine.ts"

/** A row of a file that somebody has edited, with the row in quarantine that it stands for. */
export interface EditedRow {
  readonly kept: KeptRow
  readonly record: TextRecord
}

/** Rows as `headrace quarantine export` writes them, one JSON object a line. */
export interface EditedLines {
  /** For messages: where they are from. */
  readonly title: string
  /** From the beginning, as often as it is called. */
  lines(): AsyncIterable<string>
}

/** The rows of a file. */
export function editedFile(path: string): EditedLines & { text(): Promise<string> } {
  const lines = () => linesOf(path)
  return { title: `"${path}"`, lines, text: async () => (await Array.fromAsync(lines())).join("\n") }
}

/** Rows that came over the network. */
export function editedText(text: string): EditedLines {
  return {
    title: "the rows that were sent",
    async *lines() {
      yield* text.split(/\r?\n/)
    },
  }
}

export interface EditedRowsRequest {
  readonly edited: EditedLines
  readonly run: string
  readonly quarantine: Quarantine["Service"]
  /** Only rows that this step has rejected; the others may have been replayed already. */
  readonly step?: string
  /** The columns that rows of a step need. */
  readonly needed: (step: string) => readonly string[]
}

/**
 * Reads rows that somebody has edited, each with `id` and `record`. Fails, with the number of the line, at the first one
 * that is not a row of the run, has a column too many or lacks one.
 */
export async function* editedRows(request: EditedRowsRequest): AsyncGenerator<EditedRow> {
  const { edited, run, quarantine, step, needed } = request
  const seen = new Set<number>()
  let number = 0
  for await (const line of edited.lines()) {
    number++
    if (line.trim() === "") continue
    const wrong = (cause: string, hint?: string) =>
      failure("config", `Cannot replay ${edited.title}, line ${number}: ${cause}`, hint === undefined ? {} : { hint })
    const row = readLine(line, wrong)
    if (seen.has(row.id)) throw wrong(`row ${row.id} is there twice`)
    seen.add(row.id)
    const kept = await quarantine.row(run, row.id)
    if (kept === undefined)
      throw wrong(`there is no row ${row.id} in run ${run}`, `Export its rows: headrace quarantine export ${run} FILE`)
    if (step !== undefined && kept.step !== step) continue
    if (kept.status !== "waiting" || kept.replay !== undefined)
      throw wrong(`row ${row.id} waits no longer`, "Remove the line")
    if (!kept.isFinal)
      throw wrong(
        `the split of row ${row.id} is not committed, it is read again when the run is resumed`,
        `Finish the run first: headrace resume ${run}`,
      )
    checkColumns(row.record, kept, needed(kept.step), wrong)
    yield { kept, record: row.record }
  }
}

type Wrong = (cause: string, hint?: string) => Error

function checkColumns(record: TextRecord, kept: KeptRow, needed: readonly string[], wrong: Wrong): void {
  const known = new Set([...needed, ...Object.keys(kept.record ?? {})])
  const foreign = Object.keys(record).find((name) => !known.has(name))
  if (foreign !== undefined)
    throw wrong(`step "${kept.step}" knows no column "${foreign}"`, `It has ${needed.join(", ")}`)
  // As it was exported, or as it comes to the step: a row that is whole in either way can be written.
  const before = Object.keys(kept.record ?? {})
  const isWhole = (names: readonly string[]) => names.length > 0 && names.every((name) => Object.hasOwn(record, name))
  if (isWhole(needed) || isWhole(before)) return
  const missing = (before.length > 0 ? before : needed).find((name) => !Object.hasOwn(record, name))
  throw wrong(`column "${missing}" is missing`, "Write null for a value that is not there")
}

function readLine(line: string, wrong: Wrong): { readonly id: number; readonly record: TextRecord } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw wrong("it is no JSON")
  }
  const { id, record } = (typeof value === "object" && value !== null ? value : {}) as {
    readonly id?: unknown
    readonly record?: unknown
  }
  if (typeof id !== "number" || !Number.isSafeInteger(id))
    throw wrong('it has no "id" of a rejected row', 'Keep the "id" of each exported line')
  if (typeof record !== "object" || record === null || Array.isArray(record))
    throw wrong('it has no "record"', 'Write the columns as { "record": { "name": "value" } }')
  for (const [name, content] of Object.entries(record)) {
    if (content === null || typeof content === "string") continue
    // A number in JSON may have lost digits already.
    throw wrong(
      `the value of column "${name}" is no text`,
      `Write it in quotes, such as "${JSON.stringify(content).slice(0, 40).replaceAll('"', "")}"`,
    )
  }
  return { id, record: record as TextRecord } // just checked
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, "utf8")
  try {
    // Waits for the file to open, so that its failure is ours.
    await new Promise((resolve, reject) => stream.once("open", resolve).once("error", reject))
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code === undefined) throw error
    const cause = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "permission denied" : message
    throw failure("missing", `Cannot read the edited rows in "${path}": ${cause}`)
  } finally {
    stream.destroy()
  }
}
