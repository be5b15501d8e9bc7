import { expect, test } from "bun:test"
import { Context, Effect, Layer, type Scope, Stream } from "effect"
import { ServerRig } from "../../../runtime/server/testdata/server-rig.ts"
import { flowOf } from "../../../runtime/server/workers/testdata/workshop.ts"
import { storePlaces } from "../../../runtime/store/testdata/store-databases.ts"
import type { StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import { system } from "../access/actor.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { Dispatcher, type Job } from "./dispatcher.ts"

const cause = { kind: "person", id: "", name: "test" } as const

/** Two servers on one store, as far as one process can be two. */
function inFleet<A, E>(
  database: Layer.Layer<StoreDatabase, StoreError>,
  use: (fleet: readonly [Dispatcher["Service"], Dispatcher["Service"]]) => Effect.Effect<A, E, Scope.Scope>,
): Promise<A> {
  const rig = new ServerRig()
  const server = Layer.build(Layer.fresh(rig.layer({ database })))
  const program = Effect.gen(function* () {
    const one = yield* server
    const two = yield* server
    yield* Effect.gen(function* () {
      const sources = yield* SourceRegistry
      const library = yield* FlowLibrary
      const { settings: prod } = rig.shop.source
      yield* sources.create(system, { name: "t", type: "sqlite", description: "", concurrency: null, prod })
      yield* library.create(system, { name: "load", document: flowOf({ rows: 1000 }), properties: { concurrency: 1 } })
      yield* library.create(system, {
        name: "slow",
        document: flowOf({ rows: 100_000_000 }, { output: { table: "u" } }),
      })
    }).pipe(Effect.provideContext(one))
    return yield* use([Context.get(one, Dispatcher), Context.get(two, Dispatcher)])
  })
  return Effect.runPromise(Effect.scoped(program)).finally(() => rig[Symbol.dispose]())
}

test.each(storePlaces)(
  "two servers on one store run every job once, and keep limits together (%s)",
  async (_, make) => {
    await using place = await make()
    await inFleet(place.layer, (fleet) =>
      Effect.gen(function* () {
        const running = new Set<string>()
        const started = new Map<string, number>()
        let most = 0
        for (const each of fleet)
          yield* Effect.forkScoped(
            Stream.runForEach(each.events(), (event) =>
              Effect.sync(() => {
                if (event.type === "job.started") {
                  running.add(event.job.id)
                  started.set(event.job.id, (started.get(event.job.id) ?? 0) + 1)
                }
                if (event.type === "job.ended") running.delete(event.job.id)
                most = Math.max(most, running.size)
              }),
            ),
            { startImmediately: true },
          )
        const jobs = yield* Effect.all(
          Array.from({ length: 10 }, (_, at) => fleet[at % 2]!.submit(system, { flow: "load", cause })),
          { concurrency: "unbounded" },
        )
        const done: readonly Job[] = yield* Effect.all(
          jobs.map(({ id }, at) => fleet[at % 2]!.wait(id, 60_000)),
          { concurrency: "unbounded" },
        )
        expect(done.map(({ status, message }) => message ?? status)).toEqual(jobs.map(() => "succeeded"))
        expect([...started.values()]).toEqual(jobs.map(() => 1))
        expect(most).toBe(1)
      }),
    )
  },
)

test.each(storePlaces)("a run is cancelled at whatever server it goes on (%s)", async (_, make) => {
  await using place = await make()
  await inFleet(place.layer, ([one, two]) =>
    Effect.gen(function* () {
      const { id } = yield* one.submit(system, { flow: "slow", cause })
      const flowing = (each: Dispatcher["Service"]) =>
        Stream.runHead(Stream.filter(each.events(id), ({ type }) => type === "job.progressed"))
      const other = yield* Effect.raceFirst(Effect.as(flowing(one), two), Effect.as(flowing(two), one))
      expect(yield* other.cancel(system, id)).toMatchObject({ status: "running", isEnding: true })
      expect(yield* one.wait(id, 60_000)).toMatchObject({ status: "cancelled" })
      expect(yield* two.find(id)).toMatchObject({ status: "cancelled" })
    }),
  )
})
