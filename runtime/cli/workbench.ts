import { Effect, Option } from "effect"
import type { Answers } from "../../core/server/jobs/orders.ts"
import type { Server } from "../remote/server-client.ts"
import type { PlanJson } from "../worker/plan-json.ts"
import { readText } from "./flow-document.ts"
import { type PlanFlags, planRequest } from "./flow-flags.ts"

export interface QuestionFlags extends PlanFlags {
  readonly flow: string
  readonly environment: Option.Option<"prod" | "dev">
}

/** A flow of a file, as the workbench of a server takes it. */
const questionOf = Effect.fnUntraced(function* (flags: QuestionFlags) {
  const { document } = yield* readText(flags.flow)
  return { document, environment: Option.getOrElse(flags.environment, () => "prod" as const), ...planRequest(flags) }
})

export const checkAt = Effect.fnUntraced(function* (server: Server, flags: QuestionFlags) {
  const body = yield* questionOf(flags)
  return { ...(yield* server.call("POST /check", { body })), steps: stepsOf(body.document) }
})

export const planAt = Effect.fnUntraced(function* (server: Server, flags: QuestionFlags) {
  // Workers answer with what planJson makes.
  return (yield* server.call("POST /plan", { body: yield* questionOf(flags) })) as PlanJson
})

export const parametersAt = Effect.fnUntraced(function* (server: Server, flags: QuestionFlags) {
  const answer = yield* server.call("POST /parameters", { body: yield* questionOf(flags) })
  return answer as Answers["parameters"] // of the worker
})

export interface PreviewFlags extends QuestionFlags {
  readonly rows: number
  readonly step: Option.Option<string>
}

export const previewAt = Effect.fnUntraced(function* (server: Server, flags: PreviewFlags) {
  const step = Option.isSome(flags.step) ? { step: flags.step.value } : {}
  const body = { ...(yield* questionOf(flags)), rows: flags.rows, ...step }
  return (yield* server.call("POST /preview", { body })) as Answers["preview"] // of the worker
})

/** The server has read the document and found it right. */
function stepsOf(document: string): number {
  try {
    return (JSON.parse(document) as { steps: unknown[] }).steps.length
  } catch {
    return 0
  }
}
