import { Clock, Effect } from "effect"

/** Identity of a run: sorts by time, unique without a server. */
export const makeRunId = Effect.map(Clock.currentTimeMillis, (now) => {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+Z$/g, "")
  return `${time}-${crypto.randomUUID().slice(0, 8)}`
})
