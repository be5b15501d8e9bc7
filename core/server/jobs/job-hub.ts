import { Effect, Stream } from "effect"
import type { JobEvent } from "./dispatcher.ts"

/** Passes what happens to jobs on to whoever listens. It never waits for a listener. */
export class JobHub {
  readonly #listeners = new Set<Listener>()

  publish(event: JobEvent): void {
    for (const listener of this.#listeners) listener.offer(event)
  }

  /** From now on; of one job, or of all. */
  events(id?: string): Stream.Stream<JobEvent> {
    const listening = Effect.acquireRelease(
      Effect.sync(() => {
        const listener = new Listener(id)
        this.#listeners.add(listener)
        return listener
      }),
      (listener) => Effect.sync(() => void this.#listeners.delete(listener)),
    )
    return Stream.unwrap(
      Effect.map(listening, (listener) =>
        Stream.flatMap(Stream.fromEffectRepeat(listener.take), (events) => Stream.fromIterable(events)),
      ),
    )
  }
}

export function idOf(event: JobEvent): string {
  return "job" in event ? event.job.id : event.id
}

/** Keeps what was not fetched yet, within bounds: progress gives way first, then lines, then what is oldest. */
class Listener {
  readonly #id: string | undefined
  #waiting: JobEvent[] = []
  #wake: (() => void) | undefined

  constructor(id: string | undefined) {
    this.#id = id
  }

  offer(event: JobEvent): void {
    if (this.#id !== undefined && idOf(event) !== this.#id) return
    this.#waiting.push(event)
    if (this.#waiting.length > MOST_WAITING) this.#makeRoom()
    this.#wake?.()
  }

  /** What has come since, as soon as something has. */
  readonly take: Effect.Effect<readonly JobEvent[]> = Effect.callback((resume) => {
    const fetch = () => {
      const events = this.#waiting
      this.#waiting = []
      this.#wake = undefined
      resume(Effect.succeed(events))
    }
    if (this.#waiting.length > 0) return fetch()
    this.#wake = fetch
    return Effect.sync(() => {
      this.#wake = undefined
    })
  })

  #makeRoom(): void {
    for (const type of ["job.progressed", "job.logged"] as const) {
      this.#waiting = this.#waiting.filter((event) => event.type !== type)
      if (this.#waiting.length <= ROOM_WAITING) return
    }
    this.#waiting.splice(0, this.#waiting.length - ROOM_WAITING)
  }
}

const MOST_WAITING = 1000
const ROOM_WAITING = 800
