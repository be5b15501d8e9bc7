import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import process from "node:process"
import type { Owner, RunStatus } from "../../core/store/run-record.ts"

/** This process. */
export function thisProcess(): Owner {
  return processOwner(process.pid)
}

/** A process of this machine. */
export function processOwner(pid: number): Owner {
  const start = processStart(pid)
  return { pid, host: hostname(), ...(start === undefined ? {} : { start }) }
}

/** `elsewhere`: on a machine that cannot be asked from here. */
export type Life = "alive" | "gone" | "elsewhere"

/** Whether the process that works on a run is there. Another process of the same number is not it. */
export function lifeOf(owner: Owner): Life {
  if (owner.host !== hostname()) return "elsewhere"
  if (process.platform !== "linux") return isThere(owner.pid) ? "alive" : "gone"
  const start = processStart(owner.pid)
  if (start === undefined) return "gone"
  return owner.start === undefined || owner.start === start ? "alive" : "gone"
}

/** What people call the state of a run: as it is recorded, or `interrupted` where its process has died. */
export type RunState = RunStatus | "interrupted"

export function stateOf({ status, owner }: { readonly status: RunStatus; readonly owner: Owner }): RunState {
  return status === "running" && lifeOf(owner) === "gone" ? "interrupted" : status
}

/** The time of the process's start in the kernel's ticks, and the boot that they count from. Absent: it is gone, or nobody knows. */
function processStart(pid: number): string | undefined {
  if (process.platform !== "linux") return undefined
  const stat = readText(`/proc/${pid}/stat`)
  // The name of the program, in brackets, may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")
  const [state] = fields ?? []
  if (fields === undefined || state === "Z" || state === "X") return undefined
  return `${fields[START_FIELD - 3]}@${readText("/proc/sys/kernel/random/boot_id")?.trim() ?? ""}`
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === "EPERM"
  }
}

/** `starttime` in proc_pid_stat(5); the first two fields stand before the closing bracket's blank. */
const START_FIELD = 22
