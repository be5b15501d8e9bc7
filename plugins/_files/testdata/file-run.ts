import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import type { Columns, Output, Session, Sink } from "../../../core/contract/index.ts"
import type { Disk } from "../../../runtime/files/disk.ts"
import { makeFiles } from "../../../runtime/files/files.ts"
import { testSession } from "../../../scripts/testing/session.ts"
import arrowOutput from "../../arrow/arrow-output.ts"
import csvOutput from "../../csv/csv-output.ts"

/** What is written, and under how many names it appears. */
export const modes = {
  whole: { output: csvOutput, config: { path: "out.csv" }, splits: ["only"] },
  joined: { output: csvOutput, config: { path: "out.csv" }, splits: ["pages 2", "pages 10", "pages 1"] },
  packed: { output: csvOutput, config: { path: "out.csv.gz" }, splits: ["a", "b"] },
  partitioned: { output: csvOutput, config: { path: "out.csv", partitioned: true }, splits: ["a", "b", "c"] },
  arrow: { output: arrowOutput, config: { path: "out.arrow" }, splits: ["a", "b"] },
} satisfies Record<string, { output: Output<never>; config: object; splits: string[] }>
export type Mode = keyof typeof modes

export const step = "load"
export const columns: Columns = [{ name: "a", type: { kind: "string" }, nullable: false }]

/** Which attempt has written what is committed of every split. */
export type Outcome = ReadonlyMap<string, number>

/** One attempt at a run, as the engine would make it: it writes what is not committed. Rows tell the attempt. */
export async function attempt(base: string, mode: Mode, fence: number, disk?: Disk): Promise<Outcome> {
  const session = sessionOf(base, fence, disk)
  const sink = await openSink(session, mode)
  try {
    return await complete(sink, session, mode)
  } catch (error) {
    await sink.abort(session)
    throw error
  }
}

export function openSink(session: Session, mode: Mode, splits = modes[mode].splits.length): Promise<Sink> {
  const { output, config } = modes[mode]
  const defaults = Object.entries(output.config.properties).flatMap(([name, option]) =>
    option.default === undefined ? [] : [[name, option.default]],
  )
  // Every option but the optional ones has a default.
  const whole = { ...Object.fromEntries(defaults), ...config } as never
  return (output as Output<never>).open(whole, { input: columns, splits, step }, session)
}

export async function complete(sink: Sink, session: Session, mode: Mode): Promise<Outcome> {
  const { fence } = session.run
  const outcome = new Map<string, number>()
  const write = async (id: string) => {
    const earlier = fence > 1 ? await sink.committed!(id, session) : undefined
    if (earlier !== undefined) {
      const [, split, by] = /^(.+) by (\d+)$/.exec(earlier.note) ?? []
      if (split !== id || earlier.written !== 2) throw new Error(`The note of ${id} is ${JSON.stringify(earlier)}`)
      outcome.set(id, Number(by))
      return
    }
    await sink.write({ id, attempt: fence, note: () => `${id} by ${fence}` }, rowsOf(id, session), session)
    outcome.set(id, fence)
  }
  const results = await Promise.allSettled(modes[mode].splits.map(write))
  for (const result of results) if (result.status === "rejected") throw result.reason
  await sink.finish(session)
  await sink[Symbol.asyncDispose]()
  return outcome
}

export function sessionOf(base: string, fence: number, disk?: Disk): Session {
  const files = makeFiles({ base, ...(disk && { disk }) })
  return { ...testSession({ base }), files, run: { id: "run 1", fence } }
}

async function* rowsOf(id: string, session: Session) {
  for (const row of [1, 2]) yield session.batches.fromRows(columns, [{ a: `${id}/${row} by ${session.run.fence}` }])
}

/** What stands in the folder, by name: the rows, or the text where it is no file of ours. */
export async function filesAt(base: string): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const name of (await readdir(base)).sort()) {
    if (name.startsWith(".")) continue
    const bytes = await readFile(join(base, name))
    if (bytes.toString() === "old") found[name] = ["old"]
    else if (name.endsWith(".arrow")) found[name] = await arrowRows(bytes)
    else found[name] = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().trim().split("\n").slice(1)
  }
  return found
}

/** Loaded when it is needed: a process that is to be killed has to start fast. */
async function arrowRows(bytes: Uint8Array): Promise<string[]> {
  const { tableFromIPC } = await import("apache-arrow")
  return [...tableFromIPC(bytes).getChild("a")!].map(String)
}

/** What has to stand there when the run has this outcome. */
export function expectedOf(mode: Mode, outcome: Outcome): Record<string, string[]> {
  const { config, splits } = modes[mode]
  const sorted = [...splits].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
  const rows = sorted.map((id) => [1, 2].map((row) => `${id}/${row} by ${outcome.get(id)}`))
  if (mode !== "partitioned") return { [config.path]: rows.flat() }
  return Object.fromEntries(rows.map((part, i) => [`out-0000${i + 1}.csv`, part]))
}

export function hiddenAt(base: string): Promise<string[]> {
  return readdir(base).then((names) => names.filter((name) => name.startsWith(".")))
}
