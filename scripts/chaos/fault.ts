import type { Random } from "./random.ts"
import type { Mode } from "./shape.ts"

export type FaultKind =
  | "kill-worker"
  | "freeze-worker"
  | "kill-source"
  | "kill-target"
  | "reset"
  | "half-open"
  | "stall"
  | "throttle"
  | "close-one-way"
  | "full-home"
  | "full-target"

export type Role = "source" | "target"

/** One thing that goes wrong, and when. */
export interface Fault {
  readonly kind: FaultKind
  /** The side whose connections suffer, and whose statements are watched. */
  readonly role: Role
  readonly instant: Instant
  /** Network faults: which one of the connections, from 0 to 1; absent: all of them. */
  readonly pick?: number
  /** Whom a one-way close tells. */
  readonly toward: "client" | "server"
  /** Whether a full disk is a file system without room, or a limit for the files of the process. */
  readonly isLimit: boolean
  /** How long a killed server stays away. */
  readonly downMs: number
  /** How long somebody watches a run that hangs, before giving it up. */
  readonly patienceMs: number
  /** When a frozen worker goes on, counted from the start of the attempt that has taken its place. */
  readonly thawMs: number
}

/** A part of the time that the run takes without faults, or a statement. `position` from 0 to 1 says which of them. */
export type Instant =
  | { readonly at: "time"; readonly position: number }
  | { readonly at: Moment; readonly position: number; readonly when: "before" | "after" }

export type Moment = keyof typeof moments

/** What statements hold that begin a phase. Drivers send them in the clear. */
export const moments = {
  begin: ["BEGIN", "START TRANSACTION"],
  read: ["COPY (", "SELECT "],
  load: ["COPY ", "LOAD DATA", "INSERT INTO"],
  ledger: ["headrace_ledger"],
  stage: ["_dpfx_b"],
  swap: ["RENAME"],
  drop: ["DROP TABLE"],
  commit: ["COMMIT"],
} as const

/** What can be drawn on this machine. Where nothing can be mounted, a target's disk cannot be filled. */
export function faultKinds(canMount: boolean): readonly FaultKind[] {
  return weights.map(([, kind]) => kind).filter((kind) => canMount || kind !== "full-target")
}

/** What a draw of faults depends on. */
export interface FaultDraw {
  readonly kinds: readonly FaultKind[]
  readonly mode: Mode
  /** Whether a disk can be full, and not only a file. */
  readonly canMount: boolean
}

/**
 * Draws what happens to each attempt at a run: the first one has one fault or two, later ones may have one. Afterwards
 * there is peace.
 */
export function drawFaults(random: Random, draw: FaultDraw): readonly (readonly Fault[])[] {
  const attempts: (readonly Fault[])[] = []
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    if (attempt > 0 && !random.chance(0.35)) break
    const first = drawFault(random, draw)
    attempts.push(random.chance(0.15) ? [first, drawFault(random, draw)] : [first])
  }
  return attempts
}

function drawFault(random: Random, { kinds, mode, canMount }: FaultDraw): Fault {
  const kind = random.weighted(weights.filter(([, each]) => kinds.includes(each)))
  const role = kind === "kill-source" || (isNetwork(kind) && random.chance(0.4)) ? "source" : "target"
  const fault: Fault = {
    kind,
    role,
    instant: drawInstant(random, role, mode),
    toward: random.pick(["client", "server"] as const),
    isLimit: random.chance(0.4) || !canMount,
    downMs: Math.round(random.between(0, 1500)),
    patienceMs: Math.round(random.between(300, 2000)),
    thawMs: Math.round(random.between(0, 2500)),
  }
  return isNetwork(kind) && random.chance(0.3) ? { ...fault, pick: random.number() } : fault
}

function drawInstant(random: Random, role: Role, mode: Mode): Instant {
  // Commits, swaps and what finishes a run come last.
  if (random.chance(0.25)) return { at: "time", position: random.between(0.75, 1) }
  if (random.chance(0.5)) return { at: "time", position: random.between(0.1, 1) }
  const at = random.pick(role === "source" ? READING : mode === "replaceTable" ? REPLACING : WRITING)
  return { at, position: random.number(), when: random.pick(["before", "after"] as const) }
}

export function isNetwork(kind: FaultKind): boolean {
  return ["reset", "half-open", "stall", "throttle", "close-one-way"].includes(kind)
}

/** Such a run has servers of its own. */
export function killsServer(attempts: readonly (readonly Fault[])[]): boolean {
  return attempts.flat().some(({ kind }) => kind === "kill-source" || kind === "kill-target")
}

export function faultText({ kind, role, instant, pick, toward, isLimit }: Fault): string {
  const where = isNetwork(kind) ? ` ${role}${pick === undefined ? "" : " (one)"}` : ""
  const way = kind === "close-one-way" ? ` to ${toward}` : kind === "full-home" && isLimit ? " (limit)" : ""
  const position = instant.position.toFixed(2)
  const when = instant.at === "time" ? `${position} T` : `${instant.when} ${instant.at} ${position}`
  return `${kind}${where}${way} @ ${when}`
}

const MOST_ATTEMPTS = 4
const READING: readonly Moment[] = ["begin", "read", "read", "commit"]
const WRITING: readonly Moment[] = ["begin", "load", "ledger", "ledger", "commit", "commit", "commit"]
const REPLACING: readonly Moment[] = [...WRITING, "stage", "stage", "swap", "swap", "drop"]
const weights: readonly (readonly [weight: number, kind: FaultKind])[] = [
  [10, "kill-worker"],
  [5, "freeze-worker"],
  [4, "kill-source"],
  [5, "kill-target"],
  [4, "reset"],
  [5, "half-open"],
  [1, "stall"],
  [2, "throttle"],
  [3, "close-one-way"],
  [4, "full-home"],
  [3, "full-target"],
]
