import type { Options } from "./arguments.ts"
import type { Row } from "./campaign.ts"
import { faultText } from "./fault.ts"
import { shapeText } from "./shape.ts"
import { FROZEN } from "./worker.ts"

/** A line for somebody who watches. */
export function rowText(row: Row): string {
  const { index, shape, attempts, result, isGood, ms } = row
  const name = index === 0 ? "peace" : `#${index}`
  const happened = result.attempts.flatMap(({ faults }) =>
    faults.map(({ fault, firedMs }) => (firedMs === undefined ? `(${fault})` : `${fault} = ${Math.round(firedMs)} ms`)),
  )
  const planned = attempts.flat().map(faultText)
  const faults = result.attempts.length > 0 ? happened : planned
  const tries = result.attempts
    .map(({ words, code }) => `${words.split(" ")[0]}:${code === FROZEN ? "frozen" : code}`)
    .join(" ")
  const outcome = isGood ? "ok" : "NOT OK"
  const lines = [
    `${name.padEnd(6)} ${outcome}  ${shapeText(shape)}  |  ${faults.join(", ") || "no fault"}  |  ${tries}  ${(ms / 1000).toFixed(1)} s`,
  ]
  if (!isGood) lines.push(...troubles(row))
  return lines.join("\n")
}

/** A table of what each kind of fault has led to. A run counts once for each kind that it suffered. */
export function tableText(rows: readonly Row[], seconds: number): string {
  const kinds = [...new Set(rows.flatMap(({ suffered }) => suffered))].sort()
  const groups: readonly (readonly [string, readonly Row[]])[] = [
    ...kinds.map((kind) => [kind, rows.filter(({ suffered }) => suffered.includes(kind))] as const),
    ["no fault", rows.filter(({ suffered }) => suffered.length === 0)],
    ["all", rows],
  ]
  const table = [
    ["fault", "runs", "survived", "lost", "doubled", "left-overs", "unexpected"],
    ...groups.map(([name, those]) => [name, ...counts(those).map(String)]),
  ]
  const widths = table[0]!.map((_, i) => Math.max(...table.map((line) => line[i]!.length)))
  const lines = table.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  )
  const resumes = rows.reduce((sum, { result }) => sum + Math.max(0, result.attempts.length - 1), 0)
  const faults = rows.reduce((sum, { suffered }) => sum + suffered.length, 0)
  return `${lines.join("\n")}\n\n${faults} faults, ${resumes} resumed attempts, ${Math.round(seconds)} s`
}

/** How to repeat the runs that went wrong, and where they are kept. */
export function failureText(rows: readonly Row[], options: Options): string {
  return rows
    .filter(({ isGood }) => !isGood)
    .map((row) => {
      const flags = [
        `--seed ${options.seed}`,
        ...(row.index === 0 ? [] : [`--only ${row.index}`]),
        ...(options.mode === undefined ? [] : [`--mode ${options.mode}`]),
        ...(options.fault === undefined ? [] : [`--fault ${options.fault}`]),
        ...(options.quick ? ["--quick"] : []),
      ]
      return [`again: bun run chaos ${flags.join(" ")}`, `kept:  ${row.folder}`, ...troubles(row)].join("\n")
    })
    .join("\n\n")
}

function troubles({ result }: Row): readonly string[] {
  const { lost, doubled, leftovers, unexpected, examples } = result
  return [
    ...(lost + doubled > 0 ? [`       ${lost} rows lost, ${doubled} too many`] : []),
    ...examples.slice(0, 3).map((example) => `       ${example.slice(0, 200)}`),
    ...leftovers.map((line) => `       left over: ${line}`),
    ...[...new Set(unexpected)].map((line) => `       unexpected: ${line}`),
  ]
}

/** Runs, those without any trouble, and those with each kind of it. */
function counts(rows: readonly Row[]): readonly number[] {
  const those = (has: (row: Row) => boolean) => rows.filter(has).length
  return [
    rows.length,
    those(({ isGood }) => isGood),
    those(({ result }) => result.lost > 0),
    those(({ result }) => result.doubled > 0),
    those(({ result }) => result.leftovers.length > 0),
    those(({ result }) => result.unexpected.length > 0),
  ]
}
