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
  const sample = () => {
    if (process.platform === "linux") sampled = Math.max(sampled, residentBytes(child.pid))
  }
  const sampler = setInterval(sample, sampleMs)
  const code = await child.exited
  const seconds = (Bun.nanoseconds() - started) / 1e9
  clearInterval(sampler)
  if (code !== 0) throw new Error(`exit code ${code}\n${command.argv.join(" ")}\n${await tail(log)}`)
  return { seconds, peakBytes: sampled || (child.resourceUsage()?.maxRSS ?? 0) }
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

/** First and last line of an error, which in what programs print are the useful ones. */
export function shortReason(cause: unknown): string {
  const lines = (cause instanceof Error ? cause.message : String(cause)).trim().split("\n")
  const [first = "", last = ""] = [lines[0], lines.at(-1)]
  return lines.length > 1 ? `${first.slice(0, 160)} … ${last.slice(0, 300)}` : first
}

const sampleMs = 50

// Linux hands the maximum of the parent down to its children in rusage, so that would tell the harness's own memory;
// the high-water mark of a process in /proc is its own. A sum over a tree can only be sampled.
function residentBytes(pid: number): number {
  let sum = 0
  let highest = 0
  const pending = [pid]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      const status = readFileSync(`/proc/${next}/status`, "latin1")
      sum += kilobytes(status, "VmRSS:") * 1024
      highest = Math.max(highest, kilobytes(status, "VmHWM:") * 1024)
      for (const task of readdirSync(`/proc/${next}/task`)) {
        const children = readFileSync(join("/proc", String(next), "task", task, "children"), "latin1").trim()
        if (children !== "") pending.push(...children.split(" ").map(Number))
      }
    } catch {
      // It ended between two reads.
    }
  }
  return Math.max(sum, highest)
}

function kilobytes(status: string, name: string): number {
  const at = status.indexOf(name)
  return at === -1 ? 0 : Number.parseInt(status.slice(at + name.length), 10)
}

async function tail(log: string): Promise<string> {
  const texts = await Promise.all([log, `${log}.err`].map((path) => Bun.file(path).text()))
  return lastLines(texts.join("\n"))
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-25).join("\n")
}
