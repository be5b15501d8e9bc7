import { Effect } from "effect"
import { type Actor, may } from "../../core/server/access/actor.ts"
import { Dispatcher } from "../../core/server/jobs/dispatcher.ts"
import { refuse } from "../../core/server/request-error.ts"

/** A run that the actor may look at: to a trigger, runs of other flows are not there. */
export const visibleRun = Effect.fnUntraced(function* (actor: Actor, id: string) {
  const job = yield* Dispatcher.use((jobs) => jobs.find(id))
  if (actor.flow !== undefined && actor.flow !== job.flow) return yield* refuse("missing", `There is no run "${id}"`)
  return job
})

/** Who runs a document may write flows and start runs: the endpoint asks for the one, this for the other. */
export const mayStart = Effect.fnUntraced(function* (actor: Actor) {
  if (!may(actor, "runs.start"))
    return yield* refuse("forbidden", "You may write flows, but not start runs", {
      hint: "A token needs the scope runs.start as well",
    })
})

/** What is about runs of several flows is nothing for a trigger. */
export const refuseTrigger = Effect.fnUntraced(function* (actor: Actor) {
  if (actor.flow !== undefined)
    return yield* refuse("forbidden", "A trigger sees the runs of its own flow, one by one", {
      hint: "Use an API token to look at all of them",
    })
})
