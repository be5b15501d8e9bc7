import { Schema } from "effect"
import { Environment, Id, Instant, Overrides, Parameters } from "./fields.ts"

export const JobStatus = Schema.Literals([
  "queued",
  "running",
  "interrupted",
  "succeeded",
  "failed",
  "cancelled",
  "skipped",
]).annotate({ identifier: "RunStatus" })

const Cause = Schema.Struct({
  kind: Schema.Literals(["person", "trigger", "schedule", "retry", "replay"]),
  id: Schema.String,
  name: Schema.String,
}).annotate({ description: "Who or what has started it; of `retry` and `replay` the run that it is about." })

const run = {
  id: Id,
  flow: Schema.String.annotate({ description: "Id of the flow; empty: a document that is not saved." }),
  flowName: Schema.String.annotate({
    description: "As the flow was called when the run was asked for; the title of a document that is not saved.",
  }),
  flowVersion: Schema.Int.annotate({ description: "0: a document that is not saved." }),
  environment: Environment,
  cause: Cause,
  parameters: Parameters,
  overrides: Overrides,
  bizdate: Schema.String,
  scheduledAt: Schema.String,
  priority: Schema.Int.annotate({ description: "1 runs first, 9 last." }),
  status: JobStatus,
  isEnding: Schema.Boolean.annotate({ description: "Somebody has cancelled it, and it has not ended yet." }),
  retry: Schema.Int.annotate({ description: "Tries after failures so far." }),
  requestedAt: Instant,
  dueAt: Instant,
  startedAt: Schema.NullOr(Instant),
  endedAt: Schema.NullOr(Instant),
  written: Schema.NullOr(Schema.Int),
  rejected: Schema.NullOr(Schema.Int),
  message: Schema.NullOr(Schema.String).annotate({ description: "Why it has failed, or is tried again." }),
}

export const Run = Schema.Struct(run).annotate({ identifier: "Run" })

/** What only the engine knows; its parts are explained in the documentation of the receipt. */
export const RunDetail = Schema.Struct({
  ...run,
  detail: Schema.NullOr(
    Schema.Struct({
      steps: Schema.Array(Schema.Unknown),
      inputs: Schema.Array(Schema.Struct({ step: Schema.String, splits: Schema.Int, oneSnapshot: Schema.Boolean })),
      splits: Schema.Struct({ all: Schema.Int, committed: Schema.Int }),
      receipts: Schema.Array(Schema.Unknown),
      outputs: Schema.Array(
        Schema.Struct({
          ...{ step: Schema.String, read: Schema.Int, made: Schema.Int, written: Schema.Int },
          ...{ rejected: Schema.Int, filtered: Schema.Int, committed: Schema.Int },
          guarantee: Schema.optionalKey(Schema.Literals(["exactly-once", "at-least-once"])),
        }),
      ).annotate({ description: "What came of the rows at each output, over all receipts." }),
      report: Schema.optionalKey(Schema.Unknown),
      attempts: Schema.Int,
    }),
  ).annotate({ description: "Steps as planned, splits, receipts and the report; null before the engine has begun." }),
}).annotate({ identifier: "RunDetail" })

export const LogLine = Schema.Struct({
  line: Schema.Int,
  at: Instant,
  level: Schema.Literals(["debug", "info", "warn", "error"]),
  step: Schema.NullOr(Schema.String),
  text: Schema.String,
}).annotate({ identifier: "LogLine" })

export const ofRun = Schema.Struct({ id: Id })
