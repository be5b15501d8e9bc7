import process from "node:process"

/** What the collector may believe the machine has, in bytes. */
export const BELIEVED_BYTES = 134_217_728

/**
 * Starts this process anew, in its place, with a collector that works for a small machine. JavaScriptCore lets garbage
 * grow with the memory that it sees; on a large machine a copy that needs 100 MB would take 250 (measured). It reads the
 * setting only at start. On other runtimes, and where somebody has set it, nothing happens.
 */
export function limitHeap(): void {
  if (process.versions.bun === undefined || process.env.BUN_JSC_forceRAMSize !== undefined) return
  if (typeof process.execve !== "function") return
  // What the shell writes for `<(…)` is open in this process only: a new one would find it closed.
  if (process.argv.some((word) => /\/(?:dev|proc\/self)\/fd\//.test(word))) return
  const compiled = import.meta.url.includes("$bunfs")
  const args = compiled ? process.argv.slice(2) : [...process.execArgv, ...process.argv.slice(1)]
  try {
    process.execve(process.execPath, [process.execPath, ...args], {
      ...process.env,
      BUN_JSC_forceRAMSize: String(BELIEVED_BYTES),
    })
  } catch {
    // Somebody who may not read the program's folder again runs with more memory, but runs.
  }
}
