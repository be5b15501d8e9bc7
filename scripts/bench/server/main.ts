import { writeFileSync } from "node:fs"
import { build } from "../../build.ts"
import { startPostgres } from "../../services/postgres.ts"
import { postgresSettings } from "../servers.ts"
import { type Figure, figureLine, isMissed } from "./figure.ts"
import { throughServer } from "./moving.ts"
import { readersBesideCopies, sustained, triggerLatency } from "./running.ts"
import { setStage } from "./stage.ts"
import { emptyStart, fullStart } from "./starting.ts"

const HELP = `bun run bench server [CASE…] [options]

Starts the compiled server as somebody would, and measures it from outside.

Cases: start, full, trigger, sustained, readers, moving
  --runs N     small runs of the case sustained (450; the promise is about 10000)
  --rows N     rows of the case moving (3000000)
  --jobs N     runs that the full store remembers (1000000)
  --json FILE  write the results
  --strict     exit with 1 when a limit is missed`

/** Measures the server; resolves to the exit code. */
export async function benchServer(argv: readonly string[]): Promise<number> {
  const words = [...argv]
  const cases = words.filter((word, at) => !word.startsWith("-") && !VALUED.has(words[at - 1] ?? ""))
  const value = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined)
  if (words.includes("--help") || cases.some((name) => !CASES.includes(name))) {
    console.log(HELP)
    return words.includes("--help") ? 0 : 2
  }
  const wants = (name: string) => cases.length === 0 || cases.includes(name)
  const [runs, rows, jobs] = [value("--runs") ?? 450, value("--rows") ?? 3_000_000, value("--jobs") ?? 1_000_000].map(
    Number,
  )
  const command = [await build()]
  const figures: Figure[] = []
  const add = (...measured: readonly Figure[]) => {
    figures.push(...measured)
    for (const figure of measured) console.log(figureLine(figure))
  }
  if (wants("start")) add(...(await emptyStart(command)))
  if (wants("full")) add(...(await fullStart(command, { flows: 10_000, jobs: jobs! })))
  if (["trigger", "sustained", "readers", "moving"].some(wants)) {
    const service = await startPostgres({ settings: postgresSettings(true) })
    try {
      const staged = async (
        work: (stage: Awaited<ReturnType<typeof setStage>>) => Promise<Figure | readonly Figure[]>,
      ) => {
        await using stage = await setStage({ command, service, environment: ENVIRONMENT })
        add(...[await work(stage)].flat())
      }
      if (wants("trigger")) await staged(triggerLatency)
      if (wants("sustained")) await staged((stage) => sustained(stage, runs!))
      if (wants("readers")) await staged(readersBesideCopies)
      if (wants("moving")) await staged((stage) => throughServer(stage, { command, service, rows: rows! }))
    } finally {
      await service.stop()
    }
  }
  const file = value("--json")
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(figures, undefined, 2)}\n`)
  return words.includes("--strict") && figures.some(isMissed) ? 1 : 0
}

const CASES = ["start", "full", "trigger", "sustained", "readers", "moving"]
const VALUED = new Set(["--runs", "--rows", "--jobs", "--json"])
/** What the machine at hand is given. */
const ENVIRONMENT = { HEADRACE_WARM_WORKERS: "2" }
