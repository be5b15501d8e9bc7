import type { Failure, FailureReason } from "../../core/contract/index.ts"

/** Longest prefix wins. SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const failureTable: readonly (readonly [code: string, reason: FailureReason, retryable: boolean])[] = [
  ["08", "connection", true],
  ["08P01", "protocol", false],
  ["0A", "unsupported", false],
  ["22", "data", false],
  ["23", "constraint", false],
  ["25006", "permission", false],
  ["25P03", "timeout", true],
  // Somebody has made what depends on a table that is to go.
  ["2BP01", "conflict", false],
  ["28", "authentication", false],
  ["3D000", "missing", false],
  ["3F000", "missing", false],
  ["40", "conflict", true],
  ["42", "config", false],
  ["42501", "permission", false],
  ["42703", "missing", false],
  ["42883", "missing", false],
  ["42P01", "missing", false],
  ["42P07", "exists", false],
  ["42704", "missing", false],
  ["42701", "exists", false],
  ["42710", "exists", false],
  ["53", "resource", true],
  ["53100", "resource", false],
  ["53200", "resource", false],
  ["54", "unsupported", false],
  ["55", "conflict", true],
  ["55000", "config", false],
  ["57014", "cancelled", false],
  ["57P", "connection", true],
  ["57P04", "missing", false],
  ["58030", "resource", false],
  ["72000", "conflict", true],
  // postgres.js and Node
  ["CONNECT_TIMEOUT", "timeout", true],
  ["CONNECTION_CLOSED", "connection", true],
  ["CONNECTION_DESTROYED", "connection", true],
  ["CONNECTION_ENDED", "connection", false],
  ["CONNECTION_REFUSED", "connection", true],
  ["SASL_SIGNATURE_MISMATCH", "authentication", false],
  ["AUTH_TYPE_NOT_IMPLEMENTED", "unsupported", false],
  ["TLS_REFUSED", "connection", false],
  ["ECONNREFUSED", "connection", true],
  ["ECONNRESET", "connection", true],
  ["EPIPE", "connection", true],
  ["ETIMEDOUT", "timeout", true],
  ["EHOSTUNREACH", "connection", true],
  ["ENETUNREACH", "connection", true],
  ["ENOTFOUND", "connection", false],
  ["EAI_AGAIN", "connection", true],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "connection", false],
  ["SELF_SIGNED_CERT_IN_CHAIN", "connection", false],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "connection", false],
  ["UNABLE_TO_GET_ISSUER_CERT", "connection", false],
  ["CERT_HAS_EXPIRED", "connection", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "connection", false],
]

/** What the server, postgres.js or the socket says of a failure. */
export interface ServerError {
  readonly message: string
  readonly code: string
  readonly detail?: string
  readonly where?: string
  readonly column?: string
  readonly constraint?: string
}

/** Reads an error of the driver by its shape. */
export function serverError(error: unknown): ServerError {
  const shape = (typeof error === "object" && error !== null ? error : { message: String(error) }) as Record<
    string,
    unknown
  >
  const text = (key: string) => (typeof shape[key] === "string" && shape[key] !== "" ? { [key]: shape[key] } : {})
  return {
    message: typeof shape.message === "string" ? shape.message : String(error),
    code: typeof shape.code === "string" ? shape.code : "",
    ...text("detail"),
    ...text("where"),
    ...(typeof shape.column_name === "string" ? { column: shape.column_name } : {}),
    ...(typeof shape.constraint_name === "string" ? { constraint: shape.constraint_name } : {}),
  }
}

/** True for what a session has made already. An error of TLS has a `reason` as well, which is a sentence. */
export function isFailure(error: unknown): error is Failure {
  const reason = (error as { reason?: unknown } | null | undefined)?.reason
  return reason === "unknown" || failureTable.some((row) => row[1] === reason)
}

export function classify(code: string): { readonly reason: FailureReason; readonly retryable: boolean } {
  let best: (typeof failureTable)[number] | undefined
  for (const row of failureTable) {
    if (code.startsWith(row[0]) && row[0].length > (best?.[0].length ?? 0)) best = row
  }
  return best === undefined ? { reason: "unknown", retryable: false } : { reason: best[1], retryable: best[2] }
}

/** True for errors that a single row can cause; anything else ends the load. */
export function blamesRow(error: unknown): boolean {
  const { code } = serverError(error)
  const { reason } = classify(code)
  // A trigger may raise any SQLSTATE, its own inventions included.
  if (reason === "unknown") return /^[0-9A-Z]{5}$/.test(code) && !/^(F0|HV|XX)/.test(code)
  return reason === "data" || reason === "constraint" || code === "0A000" || code === "54000"
}

/** What would fix it, for the failures that a newcomer meets first. */
export function hintFor(code: string): string | undefined {
  return HINTS[code]
}

const TLS = "Set tlsCa to the certificate authority of the server, or tls to require to skip the check"
const HINTS: Readonly<Record<string, string>> = {
  "28P01": "Check user and password of the data source",
  "28000": "Check user, database and the server's pg_hba.conf",
  "3D000": "Check the database of the data source",
  "55P03": "Try again when those who read or write the table are done, or wait longer for the lock",
  TLS_REFUSED: "Turn on ssl at the server, or set tls to off where the network can be trusted",
  ECONNREFUSED: "Check that the server runs and listens on this host and port",
  ENOTFOUND: "Check the host of the data source",
  CONNECT_TIMEOUT: "Check host, port and firewall, or raise connectTimeoutMs",
  "53300": "Lower the number of parallel splits, or raise max_connections",
  DEPTH_ZERO_SELF_SIGNED_CERT: TLS,
  SELF_SIGNED_CERT_IN_CHAIN: TLS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: "Use the host name that the certificate names, or set tls to require to skip the check",
}
