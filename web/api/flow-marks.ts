import { Effect, Schema } from "effect"
import { FlowMarks } from "../../core/server/flows/flow-marks.ts"
import { endpoint } from "./endpoint.ts"
import { Environment, Instant } from "./fields.ts"
import { FlowName } from "./flow-shapes.ts"

const named = Schema.Struct({ name: FlowName })
const ofStep = Schema.Struct({ name: FlowName, step: Schema.String.check(Schema.isMaxLength(128)) })
const inOne = Schema.Struct({ environment: Schema.optionalKey(Environment) })
const Mark = Schema.Struct({
  environment: Environment,
  step: Schema.String,
  reads: Schema.String.annotate({ description: "Data source, table and column." }),
  mark: Schema.String.annotate({ description: "The next run reads what is larger." }),
  run: Schema.optionalKey(Schema.String.annotate({ description: "The run that has set it; absent: by hand." })),
  at: Instant,
}).annotate({ identifier: "Mark" })

export const flowMarks = [
  endpoint({
    ...{ method: "GET", path: "/flows/:name/marks", tag: "Flows", permission: "flows.read" },
    summary: "Tells how far the incremental inputs of a flow have read.",
    ...{ params: named, answer: Schema.Struct({ items: Schema.Array(Mark) }), refusals: ["missing"] },
    handle: ({ params }) =>
      Effect.map(
        FlowMarks.use((marks) => marks.list(params.name)),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{ method: "PUT", path: "/flows/:name/marks/:step", tag: "Flows", permission: "flows.write" },
    summary: "Sets how far an input has read. Refused while a run of the flow is queued or goes on.",
    ...{ params: ofStep, query: inOne, answer: Mark, refusals: ["missing", "invalid", "conflict"] },
    body: Schema.Struct({ mark: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(256)) }),
    handle: ({ actor, params, query, body }) =>
      FlowMarks.use((marks) => marks.set(actor, placeOf(params, query), body.mark)),
  }),
  endpoint({
    ...{ method: "DELETE", path: "/flows/:name/marks/:step", tag: "Flows", permission: "flows.write" },
    summary: "Forgets how far an input has read: the next run reads everything.",
    ...{ params: ofStep, query: inOne, answer: Schema.Void, status: 204, refusals: ["missing", "conflict"] },
    handle: ({ actor, params, query }) => FlowMarks.use((marks) => marks.drop(actor, placeOf(params, query))),
  }),
] as const

function placeOf({ name: flow, step }: typeof ofStep.Type, { environment = "prod" }: typeof inOne.Type) {
  return { flow, step, environment }
}
