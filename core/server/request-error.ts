import { Data } from "effect"
import type { FlowProblem } from "../flow/problem.ts"

export type RequestReason =
  /** What was sent is wrong. */
  | "invalid"
  /** Nobody is signed in, or what was shown is void. */
  | "unauthenticated"
  /** Whoever asks may not. */
  | "forbidden"
  | "missing"
  /** It is not in the state that this needs, or somebody else was faster. */
  | "conflict"
  | "too-large"
  /** Too many requests, or the queue is full. */
  | "limited"
  /** Headrace cannot answer just now. */
  | "unavailable"

/** The server does not do what it was asked, and nothing has changed. The message is for whoever asked: no secret in it. */
export class RequestError extends Data.TaggedError("RequestError")<{
  readonly reason: RequestReason
  readonly message: string
  readonly hint?: string
  /** What is wrong with a flow or with fields of a form. */
  readonly problems?: readonly FlowProblem[]
  /** What there is now, where somebody else was faster. */
  readonly current?: unknown
  /** Of `limited`: how long to wait. */
  readonly retryAfterMs?: number
}> {}

export function refuse(
  reason: RequestReason,
  message: string,
  more: Omit<ConstructorParameters<typeof RequestError>[0], "reason" | "message"> = {},
): RequestError {
  return new RequestError({ reason, message, ...more })
}
