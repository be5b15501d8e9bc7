import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { Cause, Effect, Exit, Fiber, Layer } from "effect"
import type { RunEvent } from "../../core/events/events.ts"
import { checkFlow } from "../../core/flow/read-flow.ts"
import type { RunReport } from "../../core/run/report.ts"
import { hostLayer } from "../cli/host.ts"
import { screenLayer } from "../cli/screen.ts"
import { Settings } from "../settings.ts"
import { Secrets } from "../sources/secrets.ts"
import { storeLayer } from "../store/store.ts"
import { planNew, runNew } from "../worker/run-flow.ts"

export interface Step {
  readonly use: string
  readonly config: Readonly<Record<string, unknown>>
}

/** Runs flows as the program does, with files and data sources of one folder. */
export interface Engine {
  /** Steps one after another. Rejects when the run does not succeed. */
  run(steps: readonly Step[], settings?: Readonly<Record<string, unknown>>): Promise<RunReport>
  /** Runs until the first rows have come, then cancels. */
  cancel(steps: readonly Step[]): Promise<RunReport>
  /** The notes of the plan. */
  notes(steps: readonly Step[]): Promise<readonly string[]>
}

export function makeEngine(folder: string, sources: Readonly<Record<string, unknown>>): Engine {
  const file = join(folder, "sources.json")
  writeFileSync(file, JSON.stringify(sources), { mode: 0o600 })
  const settings = { home: join(folder, "home"), cwd: folder, environment: {}, verbose: false }
  const screen = { out: process.stdout, err: process.stderr, environment: {}, verbose: false }
  const layer = Layer.merge(hostLayer({ base: folder, sources: file, plugins: [], unconfined: [] }), storeLayer).pipe(
    Layer.provideMerge(screenLayer(screen)),
    Layer.provideMerge(Layer.merge(Secrets.layer, Layer.succeed(Settings, settings))),
  )
  const plan = (steps: readonly Step[], settings: Readonly<Record<string, unknown>> = {}) =>
    Effect.flatMap(checkFlow(flowOf(steps, settings)), (flow) => planNew({ flow, parameters: {} }))
  const watched = (
    steps: readonly Step[],
    settings: Readonly<Record<string, unknown>>,
    onEvent: (event: RunEvent) => void,
  ) => Effect.flatMap(plan(steps, settings), (made) => runNew(made, { ...CALL, onEvent })).pipe(Effect.provide(layer))
  return {
    async run(steps, settings = {}) {
      const report = await Effect.runPromise(watched(steps, settings, () => {}))
      if (report.status === "succeeded") return report
      throw new Error(`the run ${report.status}: ${report.failure?.message}`)
    },
    async cancel(steps) {
      let report: RunReport | undefined
      const fiber = Effect.runFork(
        watched(steps, {}, (event) => {
          if (event.type === "run.finished") report = event.report
          if (event.type === "run.progressed" && event.steps.some(({ rowsIn }) => rowsIn > 0)) fiber.interruptUnsafe()
        }),
      )
      const exit = await Effect.runPromise(Fiber.await(fiber))
      if (report !== undefined) return report
      throw Exit.isFailure(exit) ? Cause.squash(exit.cause) : new Error("the run left no report")
    },
    notes: async (steps) => {
      const made = await Effect.runPromise(Effect.provide(plan(steps), layer))
      return made.steps.flatMap((step) => step.notes)
    },
  }
}

function flowOf(steps: readonly Step[], settings: Readonly<Record<string, unknown>>): unknown {
  const named = steps.map((step, i) => ({ id: `step-${i + 1}`, ...step }))
  const hops = named.slice(1).map(({ id }, i) => ({ from: named[i]!.id, to: id }))
  return { version: 1, steps: named, hops, settings }
}

/** The smoke run makes its flows itself. */
const CALL = { origin: { document: "{}", hash: "", base: "", overrides: {} }, parameters: {} }
