import { appendFileSync, cpSync, existsSync } from "node:fs"
import { join } from "node:path"
import { ask } from "./database.ts"
import { type Fault, faultText, moments, type Role } from "./fault.ts"
import { type Armed, arm, type Baseline, type Durations } from "./inflict.ts"
import { Scene } from "./scene.ts"
import type { Servers } from "./servers.ts"
import type { Shape } from "./shape.ts"
import { isStateLocked, readState, type State } from "./state.ts"
import { judge, receiptFaults, type Verdict } from "./verdict.ts"
import { type Ended, FROZEN, lastWords, printedReport, Worker } from "./worker.ts"
import { Zombie } from "./zombie.ts"

export interface Trial {
  readonly shape: Shape
  /** Faults of the first attempt, the second, …; behind them there is peace. */
  readonly attempts: readonly (readonly Fault[])[]
  readonly baseline: Baseline
  readonly servers: Servers
  readonly folder: string
  readonly durations: Durations
}

/** One process that worked on the run, and what happened to it. */
export interface AttemptResult {
  readonly words: string
  readonly code: number
  readonly ms: number
  readonly faults: readonly {
    readonly fault: string
    readonly kind: Fault["kind"]
    readonly firedMs: number | undefined
  }[]
  /** The last words of its standard error. */
  readonly said: string
}

export interface TrialResult extends Verdict {
  readonly attempts: readonly AttemptResult[]
  /** Exit codes and last words of workers that had been given up and went on. */
  readonly thawed: readonly string[]
  readonly fence: number | undefined
  readonly statements: Baseline["statements"]
}

/** Runs a flow, hurts it, resumes it until it succeeds, and judges what it has left. */
export async function runTrial(trial: Trial): Promise<TrialResult> {
  const { shape, servers, folder, attempts, baseline, durations } = trial
  const kinds = attempts.flat().map(({ kind }) => kind)
  const small = { home: kinds.includes("full-home"), target: kinds.includes("full-target") }
  await using scene = await Scene.make({ shape, servers, folder, small })
  const counts = countStatements(scene)
  const results: AttemptResult[] = []
  const unexpected: string[] = []
  const thawed: string[] = []
  let zombies: Zombie[] = []
  const endZombies = async () => {
    // All of them first: one may hold a lock that another waits for.
    for (const zombie of zombies) zombie.thaw()
    for (const zombie of zombies) {
      const { faults, said } = await zombie.end(() => readState(scene.home))
      unexpected.push(...faults)
      thawed.push(said)
    }
    zombies = []
  }
  let state: State | undefined
  for (let number = 1; state?.status !== "succeeded"; number++) {
    const faults = attempts[number - 1] ?? []
    const words = wordsFor(state, zombies.length > 0)
    scene.mark()
    const worker = new Worker({ words, folder, home: scene.home, name: `${number}-${words[0]}` })
    const armed = faults.map((fault) => arm(scene, worker, fault, baseline, durations))
    for (const zombie of zombies) zombie.follow()
    let ended = await patiently(worker, unexpected)
    for (const each of armed) await each.disarm()
    const isDeaf = armed.some(({ fault, firedMs }) => fault.kind === "half-open" && firedMs !== undefined)
    if (isDeaf) for (const zombie of zombies) zombie.deafen()
    await scene.heal()
    const isPeace = zombies.length === 0 && armed.every(({ firedMs }) => firedMs === undefined)
    if (ended.code !== FROZEN) await endZombies()
    else if (isStateLocked(scene.home) || readState(scene.home) === undefined) {
      // It keeps everybody from its record of runs, or is not in it: such a one has to be killed.
      worker.kill()
      ended = { ...(await worker.exited), code: FROZEN }
    } else {
      const zombie = new Zombie(worker, faults.find(({ kind }) => kind === "freeze-worker")?.thawMs ?? 0)
      // Whoever watches it hang does not see that it is frozen.
      if (isDeaf) zombie.deafen()
      zombies.push(zombie)
    }
    results.push(resultOf(words, ended, armed))
    state = readState(scene.home)
    // A run that nobody knows, nobody can clean up behind.
    if (state === undefined) scene.keepAliveEnds()
    if (ended.code !== FROZEN) unexpected.push(...endingFaults(ended, { shape, state, armed, isPeace }))
    if (number >= attempts.length + PEACEFUL_ATTEMPTS && state?.status !== "succeeded") {
      unexpected.push(`the run is ${state?.status ?? "unknown"} after ${PEACEFUL_ATTEMPTS} attempts in peace`)
      break
    }
  }
  await endZombies()
  scene.keepAliveEnds()
  const verdict = await judgement(scene, shape, state)
  const all = [...unexpected, ...verdict.unexpected]
  if (verdict.lost + verdict.doubled + verdict.leftovers.length + all.length > 0) await keepEvidence(scene, verdict)
  return { ...verdict, unexpected: all, attempts: results, thawed, fence: state?.fence, statements: counts() }
}

function wordsFor(state: State | undefined, isTaken: boolean): readonly string[] {
  const common = ["--sources", "sources.json", "--json"]
  // Nothing is known of a run that died before it was recorded: it is started, not resumed.
  if (state === undefined) return ["run", "flow.json", ...common]
  // The source does not change, so reading the rest of it under a new snapshot is what the operator consents to.
  return ["resume", state.id, "--new-snapshot", ...(isTaken ? ["--force"] : []), ...common]
}

async function patiently(worker: Worker, unexpected: string[]): Promise<Ended> {
  const limit = setTimeout(() => {
    unexpected.push(`the worker did not end in ${LIMIT_MS / 1000} s`)
    worker.kill()
  }, LIMIT_MS)
  const abandoned = worker.abandoned.then((): Ended => ({ code: FROZEN, ms: 0, out: "", err: "" }))
  const ended = await Promise.race([worker.exited, abandoned])
  clearTimeout(limit)
  return ended
}

/** A run that fails says so in order, and only where something went wrong. */
function endingFaults(
  ended: Ended,
  {
    shape,
    state,
    armed,
    isPeace,
  }: {
    readonly shape: Shape
    readonly state: State | undefined
    readonly armed: readonly Armed[]
    readonly isPeace: boolean
  },
): readonly string[] {
  const fired = armed.filter(({ firedMs }) => firedMs !== undefined)
  const mayBeKilled = fired.some(({ fault }) => fault.kind === "kill-worker" || fault.kind === "half-open")
  const faults: string[] = []
  const { code, out } = ended
  const last = lastWords(ended)
  const isKilled = code === 137
  if (code === 70 || (code > 128 && !isKilled) || (isKilled && !mayBeKilled))
    faults.push(`the worker ended with code ${code}: ${last}`)
  if (code === 0 && state?.status !== "succeeded")
    faults.push(`the worker ended with code 0 and the run is ${state?.status ?? "not recorded"}`)
  if (code === 0) faults.push(...reportFaults(out, shape))
  if (code !== 0 && isPeace && state?.status !== "succeeded")
    faults.push(`the worker ended with code ${code} in peace: ${last}`)
  return faults
}

/** What the worker says itself of a run that has succeeded. */
function reportFaults(out: string, shape: Shape): readonly string[] {
  const report = printedReport(out)
  if (report === undefined) return [`the worker printed no report: ${out.slice(0, 200)}`]
  return receiptFaults(report, shape).map((fault) => `printed ${fault}`)
}

async function judgement(scene: Scene, shape: Shape, state: State | undefined): Promise<Verdict> {
  const nothing = { lost: 0, doubled: 0, leftovers: [], unexpected: [], examples: [] }
  // Of a run that never succeeded nothing can be expected.
  return state?.status === "succeeded" ? await judge(scene, shape, state) : nothing
}

function countStatements(scene: Scene): () => Baseline["statements"] {
  const count = (role: Role) =>
    Object.entries(moments).map(([moment, words]) => [moment, scene.proxies[role].count(words)] as const)
  const counts = { source: count("source"), target: count("target") }
  const seen = (role: Role) => Object.fromEntries(counts[role].map(([moment, { seen }]) => [moment, seen]))
  return () => ({ source: seen("source"), target: seen("target") })
}

function resultOf(words: readonly string[], ended: Ended, armed: readonly Armed[]): AttemptResult {
  const faults = armed.map(({ fault, firedMs }) => ({ fault: faultText(fault), kind: fault.kind, firedMs }))
  const { code, ms } = ended
  return { words: words.join(" "), code, ms, faults, said: lastWords(ended) }
}

/** What the databases and the home would take with them. */
async function keepEvidence({ folder, home, places }: Scene, verdict: Verdict): Promise<void> {
  const note = (text: string) => appendFileSync(join(folder, "evidence.txt"), `${text}\n`)
  if (existsSync(home))
    cpSync(home, join(folder, "home-kept"), { recursive: true, filter: (path) => !path.endsWith("ballast") })
  for (const line of [...verdict.examples, ...verdict.leftovers, ...verdict.unexpected]) note(line)
  const ledger = await ask(
    places.target,
    "SELECT run_id, step, item, written, at, note FROM headrace_ledger ORDER BY at",
  ).catch((cause) => [[String(cause)]])
  for (const row of ledger) note(`ledger: ${row.join(" | ")}`)
}

/** Attempts without any fault in which a run must succeed. One may find what a killed server still has to roll back. */
const PEACEFUL_ATTEMPTS = 3
const LIMIT_MS = 90_000
