import { join } from "node:path"
import type { Bench } from "./bench.ts"
import type { Case, Mover } from "./cases.ts"
import { sameContent, showContent } from "./content.ts"
import type { Source } from "./data.ts"
import { type Measurement, measure, shortReason } from "./measure.ts"
import { type Outcome, printOutcome, printProgress, type Side } from "./report.ts"
import { hasMariadb } from "./sql.ts"

/** Runs one case against all its references, alternately, after one unmeasured run of each whose copy is checked. */
export async function compare(bench: Bench, each: Case, source: Source): Promise<readonly Outcome[]> {
  console.log(`\n${each.name}`)
  const ours = new Racer(each.ours, "missing" in bench.ours ? bench.ours.missing : undefined)
  const references = each.references.map((mover) => new Racer(mover, bench.options.peers ? undefined : peerless(mover)))
  const racers = [ours, ...references]
  const impossible = each.needsMariadb && !hasMariadb(bench) ? whyNoMariadb(bench) : undefined
  for (const racer of racers) {
    if (impossible !== undefined) racer.skipped ??= impossible
    await warmUp(bench, racer, source)
  }
  if (ours.failed === undefined) {
    for (let round = 0; round < bench.options.repeat; round++) {
      // Whoever runs second finds the machine as the other has left it; so they take turns at that too.
      const order = round % 2 === 0 ? racers : racers.toReversed()
      for (const racer of order) if (round < racer.wanted(bench)) await race(bench, racer, source)
    }
  }
  const outcomes = each.references.map((mover, at) => outcome(each, mover, ours, references[at] ?? ours, source))
  for (const one of outcomes) printOutcome(one)
  return outcomes
}

/** One side of the comparison and what is known of it so far. */
class Racer {
  readonly mover: Omit<Mover, "limit">
  readonly runs: Measurement[] = []
  warm: Measurement | undefined
  skipped: string | undefined
  failed: string | undefined

  constructor(mover: Omit<Mover, "limit">, skipped: string | undefined) {
    this.mover = mover
    this.skipped = skipped
  }

  wanted(bench: Bench): number {
    if (this.skipped !== undefined || this.failed !== undefined || this.warm === undefined) return 0
    if (this.warm.seconds > verySlowSeconds) return 1
    return this.warm.seconds > slowSeconds ? Math.min(2, bench.options.repeat) : bench.options.repeat
  }
}

const slowSeconds = 60
const verySlowSeconds = 180

async function warmUp(bench: Bench, racer: Racer, source: Source): Promise<void> {
  if (racer.skipped !== undefined) return printProgress(racer.mover.name, `skipped: ${racer.skipped}`)
  try {
    await racer.mover.prepare?.(bench)
  } catch (cause) {
    racer.skipped = shortReason(cause)
    return printProgress(racer.mover.name, `skipped: ${racer.skipped}`)
  }
  try {
    const target = racer.mover.target(bench)
    await target.reset(bench)
    racer.warm = await run(bench, racer, source)
    const content = await target.content(bench)
    if (!sameContent(content, source.content)) {
      racer.failed = `wrong copy: ${showContent(content)} instead of ${showContent(source.content)}`
    }
  } catch (cause) {
    racer.failed = shortReason(cause)
    if (bench.options.keep) console.log(cause)
  }
  const seconds = `${racer.warm?.seconds.toFixed(2)} s (not counted), copy checked`
  printProgress(racer.mover.name, racer.failed === undefined ? seconds : `failed: ${racer.failed}`)
}

async function race(bench: Bench, racer: Racer, source: Source): Promise<void> {
  const target = racer.mover.target(bench)
  try {
    await target.reset(bench)
    const measured = await run(bench, racer, source)
    const rows = await target.rows(bench)
    if (rows !== source.rows) throw new Error(`wrong copy: ${rows} rows instead of ${source.rows}`)
    racer.runs.push(measured)
    printProgress(racer.mover.name, `${measured.seconds.toFixed(2)} s`)
  } catch (cause) {
    racer.failed = shortReason(cause)
    printProgress(racer.mover.name, `failed: ${racer.failed}`)
  }
}

async function run(bench: Bench, racer: Racer, source: Source): Promise<Measurement> {
  const command = await racer.mover.command(bench, source)
  // What the run before has left in the page cache is written now, not during this one.
  await Bun.spawn(["sync"]).exited
  return measure(command, join(bench.folder, `${racer.mover.name.replaceAll(/\W+/g, "-")}.log`))
}

function outcome(each: Case, mover: Mover, ours: Racer, reference: Racer, source: Source): Outcome {
  const base = { case: each.name, reference: mover.name, limit: mover.limit, rows: source.rows }
  const measured = { ours: side(ours), theirs: side(reference) }
  if (reference.skipped !== undefined) return { ...base, ...measured, verdict: "skipped", why: reference.skipped }
  const failed =
    (ours.failed && `headrace: ${ours.failed}`) ?? (reference.failed && `${mover.name}: ${reference.failed}`)
  if (failed !== undefined) return { ...base, ...measured, verdict: "failed", why: failed }
  const skipped = ours.skipped && `headrace: ${ours.skipped}`
  if (skipped !== undefined) return { ...base, ...measured, verdict: "skipped", why: skipped }
  const ratio = (measured.ours?.median ?? Number.NaN) / (measured.theirs?.median ?? Number.NaN)
  return { ...base, ...measured, ratio, verdict: ratio <= mover.limit ? "ok" : "missed" }
}

function side({ runs }: Racer): Side | undefined {
  if (runs.length === 0) return undefined
  const seconds = runs.map((run) => run.seconds).sort((a, b) => a - b)
  const middle = seconds.length >> 1
  const median = seconds.length % 2 === 1 ? seconds[middle]! : (seconds[middle - 1]! + seconds[middle]!) / 2
  const peakMb = Math.max(...runs.map((run) => run.peakBytes)) / 1e6
  return { median, min: seconds[0]!, max: seconds.at(-1)!, runs: runs.length, peakMb }
}

function whyNoMariadb(bench: Bench): string {
  if (bench.clients.mariadb === undefined) return "the program mariadb is missing; install mariadb-client"
  return bench.servers.mariadbMissing ?? "MariaDB was not started"
}

function peerless(mover: Mover): string | undefined {
  return mover.prepare === undefined ? undefined : "--no-peers"
}
