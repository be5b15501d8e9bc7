import { Database } from "bun:sqlite"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { OpenSource } from "../../../../core/server/sources/source-registry.ts"
import { stateStoreLayer } from "../../../store/state-store.ts"
import { usualWorkers, type WorkerSettings } from "../worker-settings.ts"

/** A folder with a store of runs, an SQLite database and a plugin that does harm. */
export class Workshop implements Disposable {
  readonly folder: string
  readonly source: OpenSource = {
    name: "t",
    type: "sqlite",
    settings: { path: "t.db", createIfMissing: true },
    secrets: [],
    hosts: { allow: [], deny: [] },
  }

  readonly store: ReturnType<typeof stateStoreLayer>

  /** In a folder of its own, or in one that an earlier workshop has left. */
  constructor(folder = mkdtempSync(join(tmpdir(), "headrace-workers-"))) {
    this.folder = folder
    this.store = stateStoreLayer(join(folder, "state.db"))
    const place = join(this.folder, "plugins", "trouble")
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, "plugin.json"), JSON.stringify({ ...manifest, main: "plugin.js" }))
    writeFileSync(join(place, "plugin.js"), code)
  }

  settings(more: Partial<WorkerSettings> = {}): WorkerSettings {
    return {
      ...usualWorkers,
      warm: 1,
      base: this.folder,
      home: this.folder,
      unconfined: ["trouble"],
      command: [process.execPath, join(import.meta.dir, "../../../main.ts")],
      environment: process.env,
      ...more,
    }
  }

  get files() {
    return { folders: [this.folder], closed: join(this.folder, "none") }
  }

  /** Rows of the target. */
  query(sql: string): unknown[] {
    using database = new Database(join(this.folder, "t.db"))
    database.run("PRAGMA busy_timeout = 10000")
    return database.query(sql).values()
  }

  /** Changes what the store of runs has kept. */
  execute(sql: string): void {
    using database = new Database(join(this.folder, "state.db"))
    database.run("PRAGMA busy_timeout = 10000")
    database.run(sql)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A flow of rows into the table `t`; `through` does something to them. */
export function flowOf(rows: object, { through, output = {} }: { through?: object; output?: object } = {}): string {
  const steps = [
    { id: "read", use: "rows-input", config: { columns: [{ name: "id", type: "int64", sequence: true }], ...rows } },
    ...(through === undefined ? [] : [{ id: "trouble", use: "trouble", config: through }]),
    { id: "write", use: "sqlite-output", config: { dataSource: "t", table: "t", createTable: true, ...output } },
  ]
  const hops = steps.slice(1).map(({ id }, at) => ({ from: steps[at]!.id, to: id }))
  return JSON.stringify({ version: 1, steps, hops })
}

const config = {
  type: "object",
  properties: { what: { enum: ["hang", "eat", "die", "print", "leak"], description: "The harm." } },
  additionalProperties: false,
}
const component = { kind: "transform", id: "trouble", title: "Trouble", summary: "Does harm.", config }
const manifest = { name: "trouble", version: "1.0.0", engine: 1, permissions: {}, components: [component] }
const code = `
const harms = {
  // The process does nothing else any more, cancelling included. What it has just told may never be sent; this is.
  hang() { console.error("it hangs"); const end = Date.now() + 60_000; while (Date.now() < end); },
  eat() {
    const held = []
    for (const end = Date.now() + 60_000; Date.now() < end; Bun.sleepSync(5))
      if (held.length < 40) held.push(new Uint8Array(16_777_216).fill(1))
    throw new Error("nobody minds " + held.length)
  },
  die() { console.error("the driver is broken"); process.kill(process.pid, "SIGSEGV"); const end = Date.now() + 60_000; while (Date.now() < end); },
  print() { console.log("a stray line"); process.stdout.write('{"_tag":"half') },
  leak(session) { session.log.info("connecting", { password: "hunter2-secret" }); console.log("hunter2-secret"); process.stderr.write("hunter2-secret\\n") },
}
const component = { ...${JSON.stringify(component)}, examples: [],
  plan: (config, { input }) => ({ columns: input, requires: input.map((column) => column.name), issues: [] }),
  async *apply({ what }, shape, batches, session) {
    for await (const batch of batches) { harms[what](session); yield batch }
  } }
export default { ...${JSON.stringify(manifest)}, components: [component] }
`
