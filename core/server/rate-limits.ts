import { Clock, Context, Effect, Layer } from "effect"

/** So many at once, and so many a minute in the long run. */
export interface Rate {
  readonly perMinute: number
  readonly burst: number
}

/**
 * Token buckets in memory, one for every key. Each server counts on its own. Keys are forgotten once their bucket is
 * full again, and the ones that were idle longest when there are too many.
 */
export class RateLimits extends Context.Service<
  RateLimits,
  {
    /** Takes one; resolves to how long to wait where there is none, and to 0 where there was. */
    take(key: string, rate: Rate): Effect.Effect<number>
  }
>()("core/server/RateLimits") {
  static readonly layer = Layer.sync(RateLimits, () => makeRateLimits())
}

export function makeRateLimits(mostKeys = MOST_KEYS): RateLimits["Service"] {
  const buckets = new Map<string, Bucket>()
  return RateLimits.of({
    take: Effect.fnUntraced(function* (key, { perMinute, burst }) {
      const now = yield* Clock.currentTimeMillis
      const perMs = perMinute / 60_000
      const known = buckets.get(key)
      // A clock that was set back gives nothing and takes nothing.
      const gained = known === undefined ? 0 : Math.max(0, now - known.at) * perMs
      const level = known === undefined ? burst : Math.min(burst, known.level + gained)
      const isGiven = level >= 1
      // Those that were used last stand last.
      buckets.delete(key)
      if (buckets.size >= mostKeys) buckets.delete(buckets.keys().next().value!)
      buckets.set(key, { level: isGiven ? level - 1 : level, at: now })
      return isGiven ? 0 : Math.ceil((1 - level) / perMs)
    }),
  })
}

interface Bucket {
  readonly level: number
  readonly at: number
}

const MOST_KEYS = 20_000
