import { Data } from "effect"
import type { FailureReason } from "../contract/index.ts"

/**
 * The store cannot do what it is asked: `resource` where its disk is full, `permission` where it may not be written,
 * `conflict` where somebody else holds it, `connection` where its server does not answer, `protocol` where it is damaged,
 * `unsupported` where a later version has made it, `constraint` where a row must not be. Its message names the place and
 * never a secret.
 */
export class StoreError extends Data.TaggedError("StoreError")<{
  readonly reason: FailureReason
  readonly message: string
  /** Of `constraint`: a row of the same key, or of the same name where names are unique, is there. */
  readonly isDuplicate?: boolean
  readonly hint?: string
  readonly code?: string
  readonly cause?: unknown
}> {}
