import { Database } from "bun:sqlite"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** What a call of the real program left. */
export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface CallOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** A program and its arguments that start Headrace for us, such as a shell with a limit. */
  readonly through?: readonly string[]
}

/** A folder in which the real program runs, with a home of its own. */
export class Workplace implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "headrace-cli-"))

  path(name: string): string {
    return join(this.folder, name)
  }

  async write(name: string, content: string | object): Promise<string> {
    await Bun.write(this.path(name), typeof content === "string" ? content : JSON.stringify(content, null, 2))
    return name
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8")
  }

  /** Rows of an SQLite file here. */
  query(file: string, sql: string): unknown[] {
    using database = new Database(this.path(file))
    // The program may be writing.
    database.run("PRAGMA busy_timeout = 10000")
    return database.query(sql).values()
  }

  execute(file: string, sql: string): void {
    using database = new Database(this.path(file))
    database.run(sql)
  }

  start(words: readonly string[], { stdin, env = {}, through = [] }: CallOptions = {}) {
    return Bun.spawn([...through, process.execPath, MAIN, ...words], {
      cwd: this.folder,
      env: { PATH: process.env.PATH ?? "", HOME: this.folder, HEADRACE_HOME: this.path("home"), ...env },
      stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
      stdout: "pipe",
      stderr: "pipe",
    })
  }

  async headrace(words: readonly string[], options: CallOptions = {}): Promise<Outcome> {
    const child = this.start(words, options)
    const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited])
    return { code, out, err }
  }

  /** The newest run of this home. */
  newestRun(): { readonly id: string; readonly status: string; readonly fence: number } {
    const [row] = this.query("home/state.db", "SELECT id, status, fence FROM runs ORDER BY key DESC LIMIT 1")
    const [id, status, fence] = row as [string, string, number]
    return { id, status, fence }
  }

  /** Starts a run, and kills its process once `ready` says so; gives the run's id. */
  async killedRun(words: readonly string[], ready: () => boolean): Promise<string> {
    const child = this.start(["run", ...words])
    while (!quietly(ready)) {
      if (child.exitCode !== null) throw new Error(`The run ended too early: ${await new Response(child.stderr).text()}`)
      await Bun.sleep(2)
    }
    child.kill("SIGKILL")
    await child.exited
    return this.newestRun().id
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A flow document of steps in a row. */
export function chain(...steps: readonly object[]): object {
  const ids = steps.map((step) => (step as { id: string }).id)
  return { version: 1, steps, hops: ids.slice(1).map((to, i) => ({ from: ids[i], to })) }
}

/** Before a run has begun there are no tables to look into. */
function quietly(ready: () => boolean): boolean {
  try {
    return ready()
  } catch {
    return false
  }
}

const MAIN = join(import.meta.dir, "../../main.ts")
