import { Effect, Schema } from "effect"
import { FlowLibrary } from "../../core/server/flows/flow-library.ts"
import { flowOfJob } from "../../core/server/jobs/flow-of-job.ts"
import { StoreDatabase } from "../../core/store/database.ts"
import { endpoint } from "./endpoint.ts"
import { Document } from "./flow-shapes.ts"
import { refuseTrigger, visibleRun } from "./own-runs.ts"
import { ofRun } from "./run-shapes.ts"

export const runFlow = [
  endpoint({
    ...{ method: "GET", path: "/runs/:id/flow", tag: "Runs", permission: "flows.read" },
    summary: "Gives the document that a run runs, saved or not.",
    params: ofRun,
    answer: Schema.Struct({
      name: Schema.String.annotate({ description: "What the flow is called now; of a document not saved its title." }),
      version: Schema.Int.annotate({ description: "0: a document that is not saved." }),
      document: Document,
    }).annotate({ identifier: "RunFlow" }),
    refusals: ["missing", "forbidden"],
    handle: Effect.fnUntraced(function* ({ actor, params }) {
      yield* refuseTrigger(actor)
      const job = yield* visibleRun(actor, params.id)
      const stores = { library: yield* FlowLibrary, database: yield* StoreDatabase }
      const { name, version, document } = yield* flowOfJob(stores, job)
      return { name, version, document }
    }),
  }),
] as const
