import { DrizzleQueryError } from "drizzle-orm/errors"
import type { FailureReason } from "../../core/contract/index.ts"
import { StoreError } from "../../core/store/store-error.ts"

/** Longest prefix wins. SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const storeFailures: readonly (readonly [code: string, reason: FailureReason])[] = [
  ["08", "connection"],
  ["08P01", "protocol"],
  ["22", "data"],
  ["23", "constraint"],
  ["25006", "permission"],
  ["28", "authentication"],
  ["3D000", "missing"],
  ["3F000", "missing"],
  ["40", "conflict"],
  ["42", "protocol"],
  ["42501", "permission"],
  ["53", "resource"],
  ["54", "unsupported"],
  ["55", "conflict"],
  ["57014", "timeout"],
  ["57P", "connection"],
  ["57P04", "missing"],
  ["58", "resource"],
  ["XX", "protocol"],
  // postgres.js and Node
  ["CONNECT_TIMEOUT", "connection"],
  ["CONNECTION_", "connection"],
  ["SASL_SIGNATURE_MISMATCH", "authentication"],
  ["AUTH_TYPE_NOT_IMPLEMENTED", "unsupported"],
  ["ECONN", "connection"],
  ["EPIPE", "connection"],
  ["ETIMEDOUT", "connection"],
  ["EHOSTUNREACH", "connection"],
  ["ENETUNREACH", "connection"],
  ["ENOTFOUND", "connection"],
  ["EAI_AGAIN", "connection"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "connection"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "connection"],
  ["UNABLE_TO_", "connection"],
  ["CERT_", "connection"],
  ["ERR_TLS_", "connection"],
  ["ERR_SSL_", "connection"],
]

/** What PostgreSQL, its driver or the network said of the store. Nothing for anything else. */
export function postgresError(action: string, place: string, thrown: unknown): StoreError | undefined {
  // The query builder wraps what the driver has said, and repeats values in its message.
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown
  const { code = "", message = "" } = (cause ?? {}) as { code?: string; message?: string }
  const reason = reasonOf(code)
  if (reason === undefined) return undefined
  const hint = HINTS[code]
  // They repeat values.
  for (const name of ["detail", "where", "internal_query"]) delete (cause as Record<string, unknown>)[name]
  return new StoreError({
    reason,
    message: `Cannot ${action} in PostgreSQL ${place}: ${message}`,
    code,
    cause,
    ...(code === UNIQUE_VIOLATION ? { isDuplicate: true } : {}),
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Two writes stood in each other's way: one of them was undone, and may be done again. */
export function isCollision(thrown: unknown): boolean {
  return ["40001", "40P01"].includes(codeOf(thrown))
}

/** A connection that was there is gone. */
export function isLoss(thrown: unknown): boolean {
  return ["CONNECTION_CLOSED", "ECONNRESET", "EPIPE", "57P01", "57P02"].includes(codeOf(thrown))
}

function codeOf(thrown: unknown): string {
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown
  return String((cause as { code?: unknown } | undefined)?.code)
}

function reasonOf(code: string): FailureReason | undefined {
  let best: (typeof storeFailures)[number] | undefined
  for (const row of storeFailures) {
    if (code.startsWith(row[0]) && row[0].length > (best?.[0].length ?? 0)) best = row
  }
  return best?.[1] ?? (/^[0-9A-Z]{5}$/.test(code) ? "unknown" : undefined)
}

const UNIQUE_VIOLATION = "23505"
const TLS = "Give the server a certificate that this machine trusts, or set tls to require to skip the check"
const HINTS: Readonly<Record<string, string>> = {
  "28P01": "Check user and password of the store",
  "28000": "Check user and database of the store, and the server's pg_hba.conf",
  "3D000": "Make the database, or correct its name in the URL of the store",
  "42501": "Let the role own the schema of the store, or make that schema for it",
  "53100": "Free some space on the disk of the PostgreSQL server",
  "53300": "Raise max_connections of the PostgreSQL server, or lower connections of the store",
  CONNECT_TIMEOUT: "Check host, port and firewall of the store",
  ECONNREFUSED: "Check that the PostgreSQL server runs and listens on this host and port",
  ENOTFOUND: "Check the host of the store",
  DEPTH_ZERO_SELF_SIGNED_CERT: TLS,
  SELF_SIGNED_CERT_IN_CHAIN: TLS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: TLS,
}
