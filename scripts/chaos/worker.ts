import { join } from "node:path"
import type { RunReport } from "../../core/run/report.ts"

/** How one process of Headrace ended. */
export interface Ended {
  /** The exit code, or 128 and the number of the signal, or {@link FROZEN}. */
  readonly code: number
  readonly ms: number
  readonly out: string
  readonly err: string
}

export interface WorkerOptions {
  readonly words: readonly string[]
  readonly folder: string
  readonly home: string
  /** What its output is kept under, in `folder`. */
  readonly name: string
}

/** A process of the real program. */
export class Worker {
  readonly exited: Promise<Ended>
  readonly #given = Promise.withResolvers<void>()
  readonly #child: Bun.Subprocess

  constructor({ words, folder, home, name }: WorkerOptions) {
    const began = performance.now()
    const [out, err] = [join(folder, `${name}.out`), join(folder, `${name}.err`)]
    // Ignored, the signal for a file that is too large lets the write fail instead.
    this.#child = Bun.spawn(["sh", "-c", `trap '' XFSZ; exec "$@"`, "worker", process.execPath, MAIN, ...words], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", HEADRACE_HOME: home, NO_COLOR: "1" },
      stdin: "ignore",
      stdout: Bun.file(out),
      stderr: Bun.file(err),
    })
    running.add(this)
    this.exited = this.#child.exited.then(async (code) => {
      running.delete(this)
      const ms = performance.now() - began
      const [said, warned] = await Promise.all([Bun.file(out).text(), Bun.file(err).text()])
      return { code, ms, out: said, err: warned }
    })
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** As the kernel does when memory runs out: no word, no farewell. */
  kill(): void {
    this.#child.kill("SIGKILL")
  }

  /** Stops without a word, as on a machine that hangs; `abandoned` resolves when somebody has lost patience with it. */
  freeze(patienceMs: number): void {
    this.#child.kill("SIGSTOP")
    setTimeout(this.#given.resolve, patienceMs)
  }

  get abandoned(): Promise<void> {
    return this.#given.promise
  }

  /** Goes on where it was, not knowing that time has passed. */
  thaw(): void {
    this.#child.kill("SIGCONT")
  }

  /** From now on no file of the process grows beyond so many bytes. */
  limitFiles(bytes: number): void {
    Bun.spawnSync(["prlimit", "--pid", String(this.#child.pid), `--fsize=${bytes}`])
  }
}

/** Why it failed, as it says itself. */
export function lastWords({ out, err }: Ended): string {
  const report = printedReport(out)
  if (report?.failure !== undefined) return `${report.failure.step ?? ""}: ${report.failure.message}`
  const lines = err.trim().split(/[\n\r]/)
  const errors = lines.filter((line) => /^(error|hint)/.test(line))
  return (errors.length > 0 ? errors : lines.slice(-3)).join(" / ").slice(-600)
}

export function printedReport(out: string): RunReport | undefined {
  try {
    return JSON.parse(out) as RunReport
  } catch {
    return undefined
  }
}

/** No worker outlives the campaign. */
export function stopWorkers(): void {
  for (const worker of running) worker.kill()
}

/** Of a worker that was given up without having ended. */
export const FROZEN = -1
const running = new Set<Worker>()
const MAIN = join(import.meta.dir, "../../runtime/main.ts")
