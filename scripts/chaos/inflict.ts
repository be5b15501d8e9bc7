import type { Fault, Role } from "./fault.ts"
import { isNetwork, moments } from "./fault.ts"
import type { NetworkFault, Verdict } from "./proxy-line.ts"
import type { Scene } from "./scene.ts"
import type { Worker } from "./worker.ts"

/** How long the same run takes without faults, and how many statements of each kind it sends. */
export interface Baseline {
  readonly ms: number
  readonly statements: Readonly<Record<Role, Readonly<Record<string, number>>>>
}

/** A fault that waits for its instant. */
export interface Armed {
  readonly fault: Fault
  /** When it came, in milliseconds after the start of the worker; absent: not yet, or the worker was faster. */
  readonly firedMs: number | undefined
  /** Forgets a fault that has not come. Resolves when everything that it began is over: a killed server is back. */
  disarm(): Promise<void>
}

export interface Durations {
  readonly stallMs: number
  readonly throttleMs: number
}

/** Arms a fault for a worker that has just been started. */
export function arm(scene: Scene, worker: Worker, fault: Fault, baseline: Baseline, durations: Durations): Armed {
  const began = performance.now()
  const pending: Promise<unknown>[] = []
  let firedMs: number | undefined
  const fire = async (): Promise<Verdict> => {
    if (firedMs !== undefined || !worker.isRunning) return "forward"
    firedMs = performance.now() - began
    return await inflict(scene, worker, fault, durations, pending)
  }
  const { instant, role } = fault
  let forget = () => {}
  if (instant.at === "time") {
    const timer = setTimeout(() => pending.push(fire()), instant.position * baseline.ms)
    forget = () => clearTimeout(timer)
  } else {
    const nth = 1 + Math.floor(instant.position * (baseline.statements[role][instant.at] ?? 0))
    forget = scene.proxies[role].onStatement({ words: moments[instant.at], nth, when: instant.when }, () => {
      const fired = fire()
      pending.push(fired)
      return fired
    })
  }
  return {
    fault,
    get firedMs() {
      return firedMs
    },
    async disarm() {
      forget()
      while (pending.length > 0) await Promise.all(pending.splice(0))
    },
  }
}

async function inflict(
  scene: Scene,
  worker: Worker,
  fault: Fault,
  durations: Durations,
  pending: Promise<unknown>[],
): Promise<Verdict> {
  const { proxies, disks } = scene
  const { kind, role, pick, toward, isLimit, downMs, patienceMs } = fault
  if (isNetwork(kind)) {
    const network: NetworkFault =
      kind === "stall"
        ? { kind, ms: durations.stallMs }
        : kind === "throttle"
          ? { kind, ms: durations.throttleMs, bytesPerSecond: 1 }
          : kind === "close-one-way"
            ? { kind, toward }
            : { kind: kind as "reset" | "half-open" }
    proxies[role].suffer(network, pick)
    // Nobody tells the worker: somebody watches it hang, and ends it.
    if (kind === "half-open")
      pending.push(Promise.race([worker.exited, Bun.sleep(patienceMs)]).then(() => worker.kill()))
    return "forward"
  }
  if (kind === "kill-worker") {
    worker.kill()
    await worker.exited
    return "drop"
  }
  if (kind === "freeze-worker") worker.freeze(patienceMs)
  else if (kind === "full-home" && isLimit) worker.limitFiles(LIMIT_BYTES)
  else if (kind === "full-home") disks.home?.fill()
  else if (kind === "full-target") disks.target?.fill()
  else {
    const { killed, back } = scene.killServer(role, downMs)
    pending.push(back)
    await killed
  }
  return "forward"
}

/** Room for what a worker says, and for none of its databases. */
const LIMIT_BYTES = 32_768
