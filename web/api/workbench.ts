import { Effect, Schema } from "effect"
import { Workbench } from "../../core/server/jobs/workbench.ts"
import { endpoint } from "./endpoint.ts"
import { Environment, Parameters } from "./fields.ts"
import { DOCUMENT_BYTES, Document, Problem } from "./flow-shapes.ts"
import { mayStart } from "./own-runs.ts"

const Moment = Schema.optionalKey(Schema.String.check(Schema.isMaxLength(40)))

const question = {
  document: Document,
  environment: Environment,
  parameters: Schema.optionalKey(Parameters),
  bizdate: Moment,
  scheduledAt: Moment,
}

const Question = Schema.Struct(question).annotate({ identifier: "FlowQuestion" })
const asked = { tag: "Flows", permission: "flows.read", mostBytes: DOCUMENT_BYTES } as const
const refusals = ["invalid", "forbidden", "too-large", "limited", "unavailable"] as const

/** What is asked for while somebody writes a flow, saved or not. A worker answers, with the grants of whoever asks. */
export const workbench = [
  endpoint({
    ...{ method: "POST", path: "/check", ...asked, body: Question, refusals },
    summary: "Checks a flow: its document, its data sources, the columns on every hop.",
    answer: Schema.Struct({ problems: Schema.Array(Problem), warnings: Schema.Array(Problem) }).annotate({
      identifier: "CheckedFlow",
    }),
    handle: ({ actor, body }) => Workbench.use((bench) => bench.check(actor, body)),
  }),
  endpoint({
    ...{ method: "POST", path: "/plan", ...asked, body: Question, refusals, answer: Schema.Unknown },
    summary: "Plans a flow as `headrace plan --json` does: what is read, split, forwarded and created.",
    handle: ({ actor, body }) => Workbench.use((bench) => bench.plan(actor, body)),
  }),
  endpoint({
    ...{ method: "POST", path: "/preview", ...asked, refusals, answer: Schema.Unknown },
    summary: "Shows the first rows that reach a step; nothing is written.",
    body: Schema.Struct({
      ...question,
      step: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(128))),
      rows: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })),
    }),
    handle: ({ actor, body }) => Workbench.use((bench) => bench.preview(actor, body)),
  }),
  endpoint({
    ...{ method: "POST", path: "/parameters", ...asked, body: Question, refusals, answer: Schema.Unknown },
    summary: "Lists the parameters of a flow with the values that they would have.",
    handle: ({ actor, body }) => Workbench.use((bench) => bench.parameters(actor, body)),
  }),
  endpoint({
    ...{ method: "POST", path: "/create-tables", tag: "Flows", permission: "flows.write", mostBytes: DOCUMENT_BYTES },
    summary: "Makes the tables that a flow's outputs would create, and moves no row.",
    description: "For whoever may write flows and start runs. Tables that are there stay as they are.",
    ...{ body: Question, refusals },
    answer: Schema.Struct({
      tables: Schema.Array(
        Schema.Struct({ step: Schema.String, dataSource: Schema.String, statements: Schema.Array(Schema.String) }),
      ),
      warnings: Schema.Array(Problem),
    }).annotate({ identifier: "CreatedTables" }),
    handle: ({ actor, body }) =>
      Effect.andThen(
        mayStart(actor),
        Workbench.use((bench) => bench.createTables(actor, body)),
      ),
  }),
] as const
