import { expect, test } from "bun:test"
import { Effect, Exit, Layer } from "effect"
import { makeFiles } from "../../runtime/files/files.ts"
import { probeInput, probeOutput, probePlugins } from "../../scripts/testing/probes.ts"
import { makeComponents } from "../host/components.ts"
import { DataSources, InstalledComponents, Machine } from "../host/services.ts"
import { planFlow } from "./plan.ts"
import { checkFlow } from "./read-flow.ts"

/** Plans with an input whose plan is `wait`, until `cancel` is aborted. */
function plan(wait: (signal: AbortSignal) => Promise<void>, cancel: AbortController, cancelTimeoutMs: number) {
  const input = probeInput({
    plan: async (_wanted, session) => {
      await wait(session.signal)
      throw session.failure("cancelled", "Cannot plan on")
    },
  })
  const quiet = () => {}
  const layer = Layer.mergeAll(
    Layer.succeed(InstalledComponents, makeComponents(probePlugins(input, probeOutput()))),
    Layer.succeed(Machine, { files: makeFiles({ base: "." }), log: { debug: quiet, info: quiet, warn: quiet } }),
    Layer.succeed(DataSources, { names: [], get: () => Effect.die("no data source is used") }),
  )
  const program = Effect.gen(function* () {
    const flow = yield* checkFlow({
      version: 1,
      steps: [
        { id: "in", use: "probe-input" },
        { id: "out", use: "probe-output" },
      ],
      hops: [{ from: "in", to: "out" }],
      settings: { cancelTimeoutMs },
    })
    return yield* planFlow({ flow, runId: "r1" })
  })
  return Effect.runPromiseExit(Effect.provide(program, layer), { signal: cancel.signal })
}

test("plan that is cancelled waits until the component has let go", async () => {
  const cancel = new AbortController()
  let letGo = false
  const exit = await plan(
    async (signal) => {
      cancel.abort()
      await new Promise<void>((resolve) => setTimeout(resolve, 5))
      letGo = signal.aborted
    },
    cancel,
    10_000,
  )
  expect(Exit.hasInterrupts(exit)).toBe(true)
  expect(letGo).toBe(true)
})

test("plan that is cancelled ends although the component ignores it", async () => {
  const cancel = new AbortController()
  const exit = await plan(
    () => {
      cancel.abort()
      return new Promise(() => {})
    },
    cancel,
    10,
  )
  expect(Exit.hasInterrupts(exit)).toBe(true)
})
