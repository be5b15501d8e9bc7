import { Data, Predicate } from "effect"
import type { FailureOptions, FailureReason, Failure as PluginFailure } from "../contract/index.ts"

const REASONS: ReadonlySet<string> = new Set<FailureReason>([
  "connection",
  "authentication",
  "permission",
  "missing",
  "exists",
  "config",
  "data",
  "constraint",
  "conflict",
  "timeout",
  "cancelled",
  "resource",
  "unsupported",
  "protocol",
  "unknown",
])

/** Reasons for which the same call may succeed a moment later, unless the plugin says otherwise. */
const RETRYABLE: ReadonlySet<string> = new Set<FailureReason>(["connection", "conflict", "timeout"])

/** A component failed. The one error that crosses from plugins into the engine. */
export class PluginError extends Data.TaggedError("PluginError")<{
  readonly message: string
  readonly reason: FailureReason
  readonly retryable: boolean
  /** The step that failed, where it is known. */
  readonly step?: string
  readonly hint?: string
  readonly code?: string
  readonly cause?: unknown
}> {}

/** Makes the error objects that plugins throw. */
export function failure(reason: FailureReason, message: string, options: FailureOptions = {}): PluginFailure {
  const { cause, ...rest } = options
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), {
    retryable: RETRYABLE.has(reason),
    ...rest,
    reason,
  })
}

/** Reads whatever a plugin threw, by its shape. */
export function pluginError(thrown: unknown, step?: string): PluginError {
  if (thrown instanceof PluginError && (step === undefined || thrown.step !== undefined)) return thrown
  const shape = (Predicate.isObject(thrown) ? thrown : {}) as Record<string, unknown>
  const given =
    Predicate.isString(shape.reason) && REASONS.has(shape.reason) ? (shape.reason as FailureReason) : undefined
  const aborted = shape.name === "AbortError"
  const reason = given ?? (aborted ? "cancelled" : "unknown")
  return new PluginError({
    message: messageOf(thrown, shape),
    reason,
    retryable: Predicate.isBoolean(shape.retryable) ? shape.retryable : RETRYABLE.has(reason),
    cause: thrown,
    ...(step === undefined ? {} : { step }),
    ...(Predicate.isString(shape.hint) ? { hint: shape.hint } : {}),
    ...(Predicate.isString(shape.code) && shape.code !== "" ? { code: shape.code } : {}),
  })
}

function messageOf(thrown: unknown, shape: Readonly<Record<string, unknown>>): string {
  if (Predicate.isString(shape.message) && shape.message !== "") return shape.message
  // An object may have no text at all.
  if (!Predicate.isObject(thrown)) return String(thrown)
  return Predicate.isString(shape.name)
    ? `Something failed without a message: ${shape.name}`
    : "Something failed without a message"
}
