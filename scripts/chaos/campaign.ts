import { appendFileSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Options } from "./arguments.ts"
import { Baselines, FEW } from "./baseline.ts"
import { drawFaults, type Fault, type FaultKind, faultKinds, killsServer } from "./fault.ts"
import { SmallDisk } from "./full-disk.ts"
import type { Baseline } from "./inflict.ts"
import { Random } from "./random.ts"
import { Servers } from "./servers.ts"
import { drawShape, isPostgres, type Shape } from "./shape.ts"
import { runTrial, type TrialResult } from "./trial.ts"

/** One run of a campaign as it was drawn. */
export interface Drawn {
  readonly index: number
  readonly shape: Shape
  readonly attempts: readonly (readonly Fault[])[]
}

/** One run and what came of it. Index 0: a run without faults, which was measured. */
export interface Row extends Drawn {
  readonly result: TrialResult
  readonly isGood: boolean
  /** Kinds of the faults that really happened. */
  readonly suffered: readonly FaultKind[]
  readonly ms: number
  /** Where everything is kept that the run has left; only of a bad one. */
  readonly folder: string | undefined
}

/** The same seed, index and filters draw the same run. */
export function draw(options: Pick<Options, "seed" | "mode" | "fault" | "quick">, index: number): Drawn {
  const random = new Random(`${options.seed}/${index}`)
  const shape = drawShape(random, { mode: options.mode, ...(options.quick && { mostRows: FEW }) })
  const kinds = options.fault === undefined ? faultKinds(SmallDisk.isPossible) : [options.fault]
  return { index, shape, attempts: drawFaults(random, { kinds, mode: shape.mode, canMount: SmallDisk.isPossible }) }
}

/** Runs a campaign; `tell` hears of every run as it ends. Returns all of them. */
export async function runCampaign(options: Options, folder: string, tell: (row: Row) => void): Promise<readonly Row[]> {
  await using shared = new Servers()
  // Servers that are killed take the other runs on them along.
  await using killed = new Servers()
  const rows: Row[] = []
  const durations = options.quick ? { stallMs: 2000, throttleMs: 1500 } : { stallMs: 10_000, throttleMs: 5000 }
  let folders = 0

  async function run(drawn: Drawn, baseline: Baseline): Promise<Row> {
    const { shape, attempts } = drawn
    const own = join(folder, `${String(++folders).padStart(4, "0")}-run-${drawn.index}`)
    mkdirSync(own, { mode: 0o755 })
    const began = performance.now()
    const servers = endangersServer(drawn) ? killed : shared
    const result = await runTrial({ shape, attempts, baseline, servers, folder: own, durations }).catch(broken)
    const { lost, doubled, leftovers, unexpected } = result
    const isGood = lost + doubled + leftovers.length + unexpected.length === 0
    if (isGood) rmSync(own, { recursive: true, force: true })
    else await servers.keepLogs(own)
    const suffered = result.attempts.flatMap(({ faults }) =>
      faults.flatMap(({ kind, firedMs }) => (firedMs === undefined ? [] : [kind])),
    )
    const ms = performance.now() - began
    const row = { ...drawn, result, isGood, suffered, ms, folder: isGood ? undefined : own }
    rows.push(row)
    if (options.json !== undefined) appendFileSync(options.json, `${JSON.stringify(row)}\n`)
    tell(row)
    return row
  }

  const baselines = new Baselines(async (shape) => {
    const { result } = await run({ index: 0, shape, attempts: [] }, NOTHING)
    return { ms: result.attempts[0]?.ms ?? 1000, statements: result.statements }
  })
  const first = options.only ?? 1
  const last = options.only ?? options.runs
  const waiting = Array.from({ length: last - first + 1 }, (_, i) => draw(options, first + i))
  let oneKilling: Promise<unknown> = Promise.resolve()
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const drawn = next
      const baseline = await baselines.of(drawn.shape)
      if (!endangersServer(drawn)) {
        await run(drawn, baseline)
        continue
      }
      const turn = oneKilling.then(() => run(drawn, baseline))
      oneKilling = turn
      await turn
    }
  }
  await Promise.all(Array.from({ length: options.parallel }, work))
  return rows
}

/** Such a run has servers of its own: MariaDB may end itself when it cannot write a page. */
function endangersServer({ attempts, shape }: Drawn): boolean {
  const isFull = attempts.flat().some(({ kind }) => kind === "full-target")
  return killsServer(attempts) || (isFull && !isPostgres(shape.target))
}

/** A fault of the campaign itself, or something that it did not think of. */
function broken(cause: unknown): TrialResult {
  const text = causesOf(cause).join("; then: ")
  return {
    lost: 0,
    doubled: 0,
    leftovers: [],
    unexpected: [`the campaign could not judge the run: ${text}`],
    examples: [],
    attempts: [],
    thawed: [],
    fence: undefined,
    statements: NOTHING.statements,
  }
}

/** What went wrong first comes first, before what could not be cleaned up behind it. */
function causesOf(cause: unknown): readonly string[] {
  if (cause instanceof SuppressedError) return [...causesOf(cause.suppressed), ...causesOf(cause.error)]
  return [cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)]
}

const NOTHING: Baseline = { ms: 0, statements: { source: {}, target: {} } }
