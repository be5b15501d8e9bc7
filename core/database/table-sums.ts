import { failure } from "../host/failure.ts"

/**
 * What is known of the values of some rows, whatever their order. All numbers are decimal texts, so that it is JSON as
 * it stands and can be kept with a commit.
 */
export interface TableSums {
  readonly rows: string
  readonly columns: readonly ColumnSum[]
}

export interface ColumnSum {
  readonly column: string
  /** Values that are not NULL; absent where even those cannot be compared. */
  readonly values?: string
  /** The contract's checksum; absent: the values are only counted. */
  readonly sum?: string
  /** Why something is absent. */
  readonly why?: string
}

/** The sums of all these rows together, such as those of the splits of a run. The first says which columns there are. */
export function addSums(first: TableSums, ...others: readonly TableSums[]): TableSums {
  return others.reduce((left, right) => combine(left, right, 1n), first)
}

/** What is wrong with the target, one line each; empty: it holds what was written. `before`: what it held earlier. */
export function differences(streamed: TableSums, target: TableSums, before?: TableSums): readonly string[] {
  const now = gained(target, before)
  const verb = before === undefined ? "holds" : "has gained"
  const lines: string[] = []
  if (streamed.rows !== now.rows) lines.push(`${streamed.rows} rows were written, the table ${verb} ${now.rows}`)
  for (const [sent, found] of pairs(streamed, now)) {
    if (sent.values === undefined || found.values === undefined) continue
    const isCounted = sent.sum === undefined || found.sum === undefined
    if (sent.values === found.values && (isCounted || sent.sum === found.sum)) continue
    const figures = (noun: string, { values, sum }: ColumnSum) =>
      `${values}${noun}${isCounted ? "" : ` with checksum ${sum}`}`
    lines.push(
      `Column "${sent.column}": ${figures(" values", sent)} were written, the table ${verb} ${figures("", found)}`,
    )
  }
  return lines
}

/** Which columns were not compared value by value, and why, one line each; for the receipt. */
export function limits(streamed: TableSums, target: TableSums, before?: TableSums): readonly string[] {
  return pairs(streamed, gained(target, before)).flatMap(([sent, found]) => {
    const why = sent.why ?? found.why
    if (why === undefined) return []
    const level = sent.values === undefined || found.values === undefined ? "not compared" : "only counted"
    return [`Column "${sent.column}" is ${level}: ${why}`]
  })
}

/** Sums that were kept as JSON. Fails when they are none. */
export function readSums(value: unknown): TableSums {
  const sums = value as Partial<TableSums> | null | undefined
  const isNumber = (text: unknown) => typeof text === "string" && /^-?\d+$/.test(text)
  const isMaybe = (text: unknown) => text === undefined || isNumber(text)
  if (
    isNumber(sums?.rows) &&
    Array.isArray(sums?.columns) &&
    sums.columns.every(
      (column: ColumnSum | null) => typeof column?.column === "string" && isMaybe(column.values) && isMaybe(column.sum),
    )
  )
    return sums as TableSums
  throw failure("data", "Cannot read the checksums that an earlier attempt has kept", {
    hint: "A later version of Headrace may have written them: run again with it, or without verify",
  })
}

function gained(target: TableSums, before: TableSums | undefined): TableSums {
  return before === undefined ? target : combine(target, before, -1n)
}

function combine(left: TableSums, right: TableSums, sign: 1n | -1n): TableSums {
  const plus = (a: string | undefined, b: string | undefined) =>
    a === undefined || b === undefined ? undefined : String(BigInt(a) + sign * BigInt(b))
  return {
    rows: plus(left.rows, right.rows)!,
    columns: pairs(left, right).map(([a, b]) =>
      columnSum(a.column, plus(a.values, b.values), plus(a.sum, b.sum), a.why ?? b.why),
    ),
  }
}

/** A column's sum without the members that are absent. */
export function columnSum(column: string, values?: string, sum?: string, why?: string): ColumnSum {
  return {
    column,
    ...(values !== undefined && { values }),
    ...(sum !== undefined && { sum }),
    ...(why !== undefined && { why }),
  }
}

function pairs(left: TableSums, right: TableSums): readonly (readonly [ColumnSum, ColumnSum])[] {
  const known = new Map(right.columns.map((column) => [column.column, column]))
  return left.columns.map((column) => {
    const other = known.get(column.column)
    return [column, other ?? { column: column.column, why: "it was not there all the time" }]
  })
}
