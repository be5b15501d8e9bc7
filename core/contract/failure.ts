/**
 * Why something failed. The host decides by this word, never by class or message: whether to retry, what exit code to
 * give, what to advise.
 *
 * | reason | means |
 * |---|---|
 * | connection | host unreachable, connection refused or lost, TLS refused |
 * | authentication | wrong user, password or certificate |
 * | permission | logged in, but not allowed |
 * | missing | a database, table, column, file or other named thing does not exist |
 * | exists | it exists already |
 * | config | an option is wrong, or does not fit the others |
 * | data | a value that cannot be read, converted or written; the reject limit |
 * | constraint | a key, foreign key, check or NOT NULL of the target refuses a row |
 * | conflict | deadlock, lock wait, serialization: the same again may succeed |
 * | timeout | a limit of time was reached |
 * | cancelled | somebody stopped it |
 * | resource | disk full, out of memory, too many connections |
 * | unsupported | the system cannot do this |
 * | protocol | the other side said something it must not say |
 * | unknown | none of these; a plugin that says it should learn to do better |
 */
export type FailureReason =
  | "connection"
  | "authentication"
  | "permission"
  | "missing"
  | "exists"
  | "config"
  | "data"
  | "constraint"
  | "conflict"
  | "timeout"
  | "cancelled"
  | "resource"
  | "unsupported"
  | "protocol"
  | "unknown"

/**
 * An error that crosses the plugin border. It is read by its shape, so any thrown object with these fields will do;
 * `session.failure(…)` makes one. An error without `reason` counts as `unknown` and is not retried.
 */
export interface Failure extends Error {
  readonly reason: FailureReason
  /** True when the same call may succeed a moment later. Default: true for connection, conflict, timeout. */
  readonly retryable?: boolean
  /** What would fix it, in one imperative sentence. */
  readonly hint?: string
  /** The system's own code, such as an SQLSTATE. */
  readonly code?: string
}

/** What {@link Failure} is made of. */
export interface FailureOptions {
  readonly retryable?: boolean
  readonly hint?: string
  readonly code?: string
  readonly cause?: unknown
}
