import { join } from "node:path"

/** How one process of Headrace ended. */
export interface Ended {
  /** The exit code, or 128 and the number of the signal. */
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

  /** From now on no file of the process grows beyond so many bytes. */
  limitFiles(bytes: number): void {
    Bun.spawnSync(["prlimit", "--pid", String(this.#child.pid), `--fsize=${bytes}`])
  }
}

/** No worker outlives the campaign. */
export function stopWorkers(): void {
  for (const worker of running) worker.kill()
}

const running = new Set<Worker>()
const MAIN = join(import.meta.dir, "../../runtime/main.ts")
