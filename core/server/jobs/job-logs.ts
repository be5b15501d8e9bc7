import { and, asc, eq, gt, max } from "drizzle-orm"
import { Clock, Effect } from "effect"
import type { Queries, StoreDatabase } from "../../store/database.ts"
import type { LogLine } from "./dispatcher.ts"

type Level = LogLine["level"]

/** The lines of one job, until they are in the store. */
interface Book {
  next: number
  left: number
  waiting: LogLine[]
}

/** Lines of running jobs: they are shown at once, and written together some moments later. */
export class JobLogs {
  readonly #database: StoreDatabase["Service"]
  readonly #shown: (id: string, line: LogLine) => void
  readonly #books = new Map<string, Book>()

  constructor(database: StoreDatabase["Service"], shown: (id: string, line: LogLine) => void) {
    this.#database = database
    this.#shown = shown
  }

  /** Lines of a later attempt follow those of the earlier ones. */
  open(id: string, isFirst: boolean) {
    const last = isFirst ? Effect.succeed(0) : this.#database.read((queries) => lastLine(queries, id))
    return Effect.map(last, (line) => void this.#books.set(id, { next: line + 1, left: MOST_LINES, waiting: [] }))
  }

  /** A line; beyond the most that a job may have, warnings and errors only, and twice as many of those none. */
  add(
    id: string,
    at: number,
    { level, step = null, text }: { level: Level; step?: string | null; text: string },
  ): void {
    const book = this.#books.get(id)
    if (book === undefined) return
    book.left--
    if (book.left === 0) this.#write(book, id, { at, level: "warn", step: null, text: CUT })
    const isGrave = level === "warn" || level === "error"
    if (book.left <= 0 && !(isGrave && book.left > -MOST_LINES)) return
    for (const each of text.split("\n")) this.#write(book, id, { at, level, step, text: shortened(each) })
  }

  /** Writes what waits, of all jobs at once. */
  readonly flush = Effect.suspend(() => {
    const taken = [...this.#books].map(([id, book]) => ({ id, book, lines: book.waiting.splice(0) }))
    const rows = taken.flatMap(({ id, lines }) => rowsOf(id, lines))
    if (rows.length === 0) return Effect.void
    return this.#database
      .write((queries) => insertLines(queries, rows))
      .pipe(
        Effect.onError(() =>
          Effect.sync(() => {
            for (const { book, lines } of taken) book.waiting.unshift(...lines.slice(-MOST_WAITING))
          }),
        ),
      )
  })

  /** The lines that wait, for a write that ends the job. */
  close(id: string) {
    const lines = rowsOf(id, this.#books.get(id)?.waiting ?? [])
    this.#books.delete(id)
    return lines
  }

  read(id: string, { after = 0, limit }: { readonly after?: number; readonly limit: number }) {
    return this.#database.read(async ({ select, tables: { jobLogs } }) => {
      const rows = await select()
        .from(jobLogs)
        .where(and(eq(jobLogs.job, id), gt(jobLogs.line, after)))
        .orderBy(asc(jobLogs.line))
        .limit(limit)
      return rows.map(({ job: _, ...line }): LogLine => line)
    })
  }

  #write(book: Book, id: string, line: Omit<LogLine, "line">): void {
    const whole = { line: book.next++, ...line }
    book.waiting.push(whole)
    this.#shown(id, whole)
  }
}

export type LogRow = LogLine & { readonly job: string }

export async function insertLines({ insert, tables: { jobLogs } }: Queries, lines: readonly LogRow[]): Promise<void> {
  for (let at = 0; at < lines.length; at += LINES_TOGETHER)
    // What is written once more, because nobody knew whether it was, stays what it is.
    await insert(jobLogs)
      .values(lines.slice(at, at + LINES_TOGETHER))
      .onConflictDoNothing()
}

/** A line that belongs to no attempt. */
export const addLine = Effect.fnUntraced(function* (
  database: StoreDatabase["Service"],
  job: string,
  { level, text }: { readonly level: Level; readonly text: string },
) {
  const at = yield* Clock.currentTimeMillis
  yield* database.write(async (queries) => {
    const line = (await lastLine(queries, job)) + 1
    await insertLines(queries, [{ job, line, at, level, step: null, text }])
  })
})

async function lastLine({ select, tables: { jobLogs } }: Queries, id: string): Promise<number> {
  const [found] = await select({ line: max(jobLogs.line) })
    .from(jobLogs)
    .where(eq(jobLogs.job, id))
  return Number(found?.line ?? 0)
}

function rowsOf(job: string, lines: readonly LogLine[]): readonly LogRow[] {
  return lines.map((line) => ({ job, ...line }))
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`
}

const MOST_LINES = 10_000
/** Lines of a job that are kept in memory while the store cannot be written. */
const MOST_WAITING = 2000
const MOST_CHARACTERS = 4000
/** Times the columns of a line, this stays below the most parameters that a statement may have. */
const LINES_TOGETHER = 100
const CUT = "The log is full: from here on only warnings and errors are kept"
