import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** A command and where it runs. */
export interface Command {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
}

/** What one run took. */
export interface Measurement {
  readonly seconds: number
  /** The most memory that the process and its children held together. */
  readonly peakBytes: number
}

/** Runs a command to its end. Throws with the tail of its output when it fails. */
export async function measure(command: Command, log: string): Promise<Measurement> {
  // To a file and not to a pipe: reading it here would cost the measured process and us time.
  const output = Bun.file(log)
  const started = Bun.nanoseconds()
  const child = Bun.spawn([...command.argv], {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdin: "ignore",
    stdout: output,
    stderr: Bun.file(`${log}.err`),
  })
  let sampled = 0
  const sampler = setInterval(() => {
    sampled = Math.max(sampled, residentBytes(child.pid))
  }, sampleMs)
  const code = await child.exited
  const seconds = (Bun.nanoseconds() - started) / 1e9
  clearInterval(sampler)
  if (code !== 0) throw new Error(`Cannot run "${command.argv.join(" ")}": exit code ${code}\n${await tail(log)}`)
  return { seconds, peakBytes: Math.max(sampled, child.resourceUsage()?.maxRSS ?? 0) }
}

/** Runs a command that is not measured and gives its output. */
export async function capture(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = Bun.spawn([...argv], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(`Cannot run "${argv.join(" ")}": exit code ${code}\n${lastLines(out + err)}`)
  return out.trim()
}

/** `psql a | psql b` and the like: any failing part fails the whole. */
export function pipeline(script: string): readonly string[] {
  return ["bash", "-c", `set -eo pipefail; ${script}`]
}

export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

const sampleMs = 100

// The kernel's own maximum (rusage) is exact for one process; a sum over a tree can only be sampled.
function residentBytes(pid: number): number {
  if (process.platform !== "linux") return 0
  let sum = 0
  const pending = [pid]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      sum += Number(readFileSync(`/proc/${next}/statm`, "latin1").split(" ")[1]) * 4096
      for (const task of readdirSync(`/proc/${next}/task`)) {
        const children = readFileSync(join("/proc", String(next), "task", task, "children"), "latin1").trim()
        if (children !== "") pending.push(...children.split(" ").map(Number))
      }
    } catch {
      // It ended between two reads.
    }
  }
  return sum
}

async function tail(log: string): Promise<string> {
  const texts = await Promise.all([log, `${log}.err`].map((path) => Bun.file(path).text()))
  return lastLines(texts.join("\n"))
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-25).join("\n")
}
