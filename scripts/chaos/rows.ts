import type { Shape } from "./shape.ts"

/** Values in the order of {@link columns}; null is NULL. */
export type Values = readonly (string | null)[]

/** Columns of the source. The target has one more, `extra`, which no run writes. */
export const columns: readonly string[] = ["id", "code", "name", "amount", "qty", "at", "note"]

/** What the rows of the source depend on. */
type Source = Pick<Shape, "bad" | "mode" | "rows">

/** Why the target does not take a row; undefined for a good one. */
export type Badness = "taken" | "check" | "long" | "word" | "null"

export function badness(id: number, { bad, mode, rows }: Source): Badness | undefined {
  // Some dozens, however large the table is: finding them must not be all that a run does.
  const distance = Math.max(89, Math.ceil(rows / 40))
  if (bad === "none" || id % distance !== 13) return undefined
  const kinds = bad === "typed" ? TYPED : mode === "replaceTable" ? REPLACED : REFUSED
  return kinds[Math.floor(id / distance) % kinds.length]
}

export function sourceRow(id: number, shape: Source): Values {
  const wrong = badness(id, shape)
  const cents = (id * 7919) % 10_000_000
  return [
    String(id),
    wrong === "taken" ? takenCode(id) : `code-${id}`,
    wrong === "long" ? `Name ${id} `.repeat(6) : `Näme ${id} 数据 ${id % 7 === 0 ? "'\"" : ""}`,
    `${wrong === "check" ? "-1" : ""}${decimal(cents)}`,
    wrong === "word" ? `${id} pieces` : String((id * 31) % 100_003),
    time(id),
    noteOf(id, wrong, shape),
  ]
}

/** What the target holds before the run. */
export function presentRows({ mode, rows }: Shape): readonly Values[] {
  const strangers = Array.from({ length: STRANGERS }, (_, i) => present(-1 - i, `taken-${i}`))
  if (mode === "append") return strangers
  const known = Array.from({ length: Math.floor(rows / 3) }, (_, i) => present(3 * (i + 1), `old-${3 * (i + 1)}`))
  return [...strangers, ...known]
}

/** What the target must hold after the run: source and mode alone decide. */
export function expectedRows(shape: Shape): Map<number, Values> {
  const { mode } = shape
  const found = new Map<number, Values>()
  if (mode !== "replaceTable") for (const row of presentRows(shape)) found.set(Number(row[0]), row)
  for (let id = 1; id <= shape.rows; id++) {
    if (badness(id, shape) !== undefined) continue
    const extra = mode === "updateRows" ? (found.get(id)?.at(-1) ?? FRESH) : FRESH
    found.set(id, [...sourceRow(id, shape), extra])
  }
  return found
}

export function badIds(shape: Shape): readonly number[] {
  const ids = Array.from({ length: shape.rows }, (_, i) => i + 1)
  return ids.filter((id) => badness(id, shape) !== undefined)
}

/** As COPY and LOAD DATA read it. No value holds a tab, a line's end or a backslash. */
export function tabbed(rows: Iterable<Values>): string {
  let text = ""
  for (const row of rows) text += `${row.map((value) => value ?? "\\N").join("\t")}\n`
  return text
}

export function* sourceRows(shape: Shape): Generator<Values> {
  for (let id = 1; id <= shape.rows; id++) yield sourceRow(id, shape)
}

function present(id: number, code: string): Values {
  return [String(id), code, "before", "1.50", "7", "2020-02-29 12:34:56.000001", "was there", "kept"]
}

function takenCode(id: number): string {
  return `taken-${id % STRANGERS}`
}

function noteOf(id: number, wrong: Badness | undefined, { bad }: Pick<Shape, "bad">): string | null {
  if (wrong === "null" || (bad !== "typed" && id % 5 === 0)) return null
  return `note ${id} ${"lorem ipsum ".repeat(id % 11)}✓`
}

function decimal(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`
}

function time(id: number): string {
  const second = new Date(Date.UTC(2024, 0, 1) + id * 61_000).toISOString().slice(0, 19).replace("T", " ")
  return `${second}.${String((id * 4099) % 1_000_000).padStart(6, "0")}`
}

const FRESH = "fresh"
const STRANGERS = 20
const REFUSED: readonly Badness[] = ["taken", "check"]
/** The rows of before are gone, and with them whoever has a code already. */
const REPLACED: readonly Badness[] = ["check"]
const TYPED: readonly Badness[] = ["long", "word", "null"]
