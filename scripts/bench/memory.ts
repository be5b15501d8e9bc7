import { join } from "node:path"
import type { Bench } from "./bench.ts"
import { generate, printRows } from "./data.ts"
import { postgresToPostgres } from "./flows.ts"
import { measure, shortReason } from "./measure.ts"
import { oursCommand } from "./ours.ts"
import { type Outcome, printOutcome, printProgress } from "./report.ts"
import { postgresTarget } from "./targets.ts"

const limitMb = 160
const growthLimit = 1.1
const runs = 3

/** The memory of a copy must neither be large nor follow the size of the table: peaks at one and at four times the rows. */
export async function checkMemory(bench: Bench): Promise<readonly Outcome[]> {
  console.log("\nmemory")
  const base = { case: "memory", ours: undefined, theirs: undefined }
  const { rows } = bench.options
  const labels = [
    { reference: `${limitMb} MB`, limit: 1, rows },
    { reference: `${limitMb} MB`, limit: 1, rows: rows * 4 },
    { reference: "growth", limit: growthLimit, rows: rows * 4 },
  ]
  if ("missing" in bench.ours) {
    const why = `headrace: ${bench.ours.missing}`
    return labels.map((label) => ({ ...base, ...label, verdict: "skipped", why }))
  }
  const peaks: { readonly mb: number; readonly median: number }[] = []
  try {
    for (const size of [rows, rows * 4]) peaks.push(await peak(bench, size))
  } catch (cause) {
    const why = `headrace: ${shortReason(cause)}`
    return labels.map((label) => ({ ...base, ...label, verdict: "failed", why }))
  }
  const [small, large] = peaks as [(typeof peaks)[0], (typeof peaks)[0]]
  const values = [small.mb / limitMb, large.mb / limitMb, large.mb / small.mb]
  return labels.map((label, at) => {
    const { mb, median } = at === 0 ? small : large
    const ours = { median, min: median, max: median, runs, peakMb: mb }
    const ratio = values[at]!
    const outcome: Outcome = { ...base, ...label, ours, ratio, verdict: ratio <= label.limit ? "ok" : "missed" }
    printOutcome(outcome)
    return outcome
  })
}

async function peak(bench: Bench, rows: number): Promise<{ readonly mb: number; readonly median: number }> {
  printRows(await generate(bench, { rows, mariadb: false }))
  const command = await oursCommand(bench, "memory", postgresToPostgres(1))
  const measured = []
  for (let run = 0; run < runs; run++) {
    await postgresTarget.reset(bench)
    measured.push(await measure(command, join(bench.folder, "memory.log")))
    const copied = await postgresTarget.rows(bench)
    if (copied !== rows) throw new Error(`Cannot check the memory: ${copied} of ${rows} rows were copied`)
  }
  const seconds = measured.map((each) => each.seconds).sort((a, b) => a - b)
  const mb = Math.max(...measured.map((each) => each.peakBytes)) / 1e6
  printProgress("headrace", `${rows} rows: ${mb.toFixed(0)} MB, ${seconds[1]!.toFixed(2)} s`)
  return { mb, median: seconds[1]! }
}
