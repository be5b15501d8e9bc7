import process from "node:process"
import { Clock, Effect } from "effect"
import type { RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { lifeOf } from "../store/process-owner.ts"
import { asked } from "../store/store.ts"

export interface StopOptions {
  readonly deadlineMs: number
  /** Tells of each thing that is done. */
  readonly say: (text: string) => void
}

/** Ends the process that works on a run: asks it first, kills it when it takes too long. Gives the run as it is then. */
export const stopProcess = Effect.fnUntraced(function* (run: RunRecord, { deadlineMs, say }: StopOptions) {
  const store = yield* RunStore
  const { owner, id } = run
  const isThere = () => lifeOf(owner) === "alive"
  if (run.status !== "running" || !isThere()) return run
  say(`asking process ${owner.pid} to stop`)
  signal(owner.pid, "SIGTERM")
  if (yield* waitUntil(() => !isThere(), deadlineMs)) say(`process ${owner.pid} has stopped`)
  else {
    say(`process ${owner.pid} has not stopped in ${deadlineMs / 1000} s: killing it`)
    signal(owner.pid, "SIGKILL")
    if (!(yield* waitUntil(() => !isThere(), KILL_MS)))
      say(`process ${owner.pid} cannot be killed; from now on it can commit nothing`)
  }
  return (yield* asked(() => store.find(id))) ?? run
})

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has just gone by itself.
  }
}

const waitUntil = Effect.fnUntraced(function* (condition: () => boolean, limitMs: number) {
  const end = (yield* Clock.currentTimeMillis) + limitMs
  while (!condition()) {
    if ((yield* Clock.currentTimeMillis) >= end) return false
    yield* Effect.sleep(POLL_MS)
  }
  return true
})

const POLL_MS = 50
/** A process that waits for a disk that does not answer outlives even this. */
const KILL_MS = 5000
