import { expect, test } from "bun:test"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { StoreError } from "../../store/store-error.ts"
import { untilStored } from "./execution.ts"

/** Writes to a store that refuses so often, and tells what came of it after so many seconds. */
function written(reason: StoreError["reason"], { refusals = 500, seconds = 600, stopsAt = Number.POSITIVE_INFINITY }) {
  let tries = 0
  const write = Effect.suspend(() =>
    ++tries > refusals ? Effect.succeed("kept") : Effect.fail(new StoreError({ reason, message: "refused" })),
  )
  const work = Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(untilStored(() => tries >= stopsAt)(write))
    yield* TestClock.adjust(`${seconds} seconds`)
    const exit = fiber.pollUnsafe()
    yield* Fiber.interrupt(fiber)
    return { tries, outcome: exit === undefined ? "goes on" : Exit.isSuccess(exit) ? exit.value : "given up" }
  })
  return Effect.runPromise(Effect.provide(work, TestClock.layer()))
}

test("how a run has ended is written once there is room again, however long that takes", async () => {
  expect(await written("resource", {})).toEqual({ tries: 501, outcome: "kept" })
  expect(await written("connection", { refusals: 5000 })).toEqual({ tries: 601, outcome: "goes on" })
})

test("a server that is told to stop gives up after a while, and the next start finds the run", async () => {
  expect(await written("resource", { stopsAt: 100 })).toEqual({ tries: 100, outcome: "given up" })
  expect(await written("resource", { stopsAt: 0 })).toEqual({ tries: 30, outcome: "given up" })
})

test("what does not pass by itself is not tried for ever", async () => {
  expect(await written("constraint", {})).toEqual({ tries: 30, outcome: "given up" })
})
