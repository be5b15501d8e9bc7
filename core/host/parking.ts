import { Effect } from "effect"
import type { Connection, Session } from "../contract/index.ts"
import { Machine } from "./services.ts"

/** Where planning leaves its connections for the run that follows: a login costs more than all that is asked then. */
export class Parking implements AsyncDisposable {
  readonly #places = new Map<string, Connection[]>()
  #isClosed = false

  async leave(key: string, connection: Connection): Promise<void> {
    if (this.#isClosed) return await connection.close()
    this.#places.set(key, [...(this.#places.get(key) ?? []), connection])
  }

  take(key: string): Connection | undefined {
    return this.#places.get(key)?.pop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const left = [...this.#places.values()].flat()
    this.#places.clear()
    await Promise.all(left.map((connection) => connection.close().catch(() => undefined)))
  }
}

/** What plans and runs, with a parking of its own. */
export const withParking = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Machine> =>
  Effect.gen(function* () {
    const machine = yield* Machine
    const parking = yield* Effect.acquireRelease(
      Effect.sync(() => new Parking()),
      (each) => Effect.promise(() => each[Symbol.asyncDispose]()),
    )
    return yield* work.pipe(Effect.provideService(Machine, { ...machine, parking }))
  }).pipe(Effect.scoped)

/** That of the run a session belongs to. Plugins know nothing of it. */
export function parkingOf(session: Session): Parking | undefined {
  return (session as Session & { readonly parking?: Parking }).parking // the host makes sessions of what its machine has
}
