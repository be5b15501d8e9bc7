import type { Failure, FailureReason, Session } from "../../core/contract/index.ts"

/**
 * What the codes of MySQL, MariaDB, the driver and the sockets below it mean: number or name, reason, retryable.
 * MariaDB and MySQL agree below 1900 and part ways above it.
 */
export const failures: readonly (readonly [code: number | string, reason: FailureReason, retryable: boolean])[] = [
  ["ECONNREFUSED", "connection", true],
  ["ConnectionRefused", "connection", true],
  ["ECONNRESET", "connection", true],
  ["ECONNABORTED", "connection", true],
  ["EPIPE", "connection", true],
  ["ETIMEDOUT", "connection", true],
  ["EHOSTUNREACH", "connection", true],
  ["ENETUNREACH", "connection", true],
  ["EAI_AGAIN", "connection", true],
  ["ENOTFOUND", "connection", false],
  ["ENOENT", "connection", false],
  ["EACCES", "connection", false],
  ["PROTOCOL_CONNECTION_LOST", "connection", true],
  ["HANDSHAKE_NO_SSL_SUPPORT", "connection", false],
  ["HANDSHAKE_SSL_ERROR", "connection", false],
  ["AUTH_SWITCH_PLUGIN_ERROR", "authentication", false],
  ["HANDSHAKE_UNKNOWN_ERROR", "protocol", false],
  ["PROTOCOL_ERROR", "protocol", false],
  ["PROTOCOL_UNEXPECTED_PACKET", "protocol", false],
  [1053, "connection", true], // server shutdown
  [1152, "connection", true], // aborted connection
  [1158, "connection", true], // network: read
  [1159, "connection", true], // network: read timeout
  [1160, "connection", true], // network: write
  [1161, "connection", true], // network: write timeout
  [1927, "connection", true], // MariaDB: connection was killed
  [2006, "connection", true], // server has gone away
  [2013, "connection", true], // lost connection during query
  [4031, "connection", true], // MySQL: disconnected after inactivity
  [1129, "connection", false], // host blocked after too many errors
  [3159, "connection", false], // the server requires TLS
  [1045, "authentication", false], // access denied
  [1698, "authentication", false], // access denied without password
  [1130, "authentication", false], // host not allowed
  [1251, "authentication", false], // authentication protocol unknown
  [1820, "authentication", false], // password must be changed
  [1862, "authentication", false], // password expired
  [3118, "authentication", false], // MySQL: account locked
  [4151, "authentication", false], // MariaDB: account locked
  [1044, "permission", false], // database
  [1095, "permission", false], // a connection of somebody else
  [1142, "permission", false], // table
  [1143, "permission", false], // column
  [1227, "permission", false], // a special privilege
  [1290, "permission", false], // the server runs with an option that forbids it, such as read-only
  [1356, "permission", false], // view: definer lacks rights
  [1370, "permission", false], // routine
  [1410, "permission", false], // grant
  [1792, "permission", false], // read-only transaction
  [1836, "permission", false], // read-only mode
  [1049, "missing", false], // database
  [1051, "missing", false], // table to drop
  [1054, "missing", false], // column
  [1072, "missing", false], // key column
  [1091, "missing", false], // thing to drop
  [1109, "missing", false], // table in a clause
  [1146, "missing", false], // table
  [1305, "missing", false], // routine or savepoint
  [1094, "missing", false], // connection to kill
  [1007, "exists", false], // database
  [1050, "exists", false], // table
  [1060, "exists", false], // column
  [1061, "exists", false], // key
  [1052, "config", false], // ambiguous column
  [1055, "config", false], // not in GROUP BY
  [1064, "config", false], // syntax
  [1136, "config", false], // column count
  [1046, "config", false], // no database selected
  [1059, "config", false], // identifier too long
  [1117, "config", false], // too many columns
  [1118, "config", false], // row too large
  [1166, "config", false], // column name
  [1170, "config", false], // key on a column without length
  [1222, "config", false], // UNION column count
  [1071, "config", false], // key too long
  [1040, "resource", true], // too many connections
  [1203, "resource", true], // too many connections of this user
  [1226, "resource", false], // account limit
  [1020, "conflict", true], // MariaDB: record has changed since the snapshot
  [1205, "conflict", true], // lock wait timeout
  [1213, "conflict", true], // deadlock
  [1479, "conflict", true], // online change of the table
  [1412, "conflict", true], // table definition has changed
  [1614, "conflict", true], // XA deadlock
  [3572, "conflict", true], // MySQL: NOWAIT
  [1969, "timeout", true], // MariaDB: max_statement_time
  [3024, "timeout", true], // MySQL: max_execution_time
  [1907, "timeout", true], // query timed out in the engine
  [1317, "cancelled", false], // KILL QUERY
  [1021, "resource", false], // disk full
  [1026, "resource", false], // cannot write file
  [1037, "resource", false], // out of memory
  [1038, "resource", false], // out of sort memory
  [1041, "resource", false], // out of memory
  [1114, "resource", false], // table is full
  [1206, "resource", false], // lock table is full
  [1637, "resource", true], // too many transactions
  [1022, "constraint", false], // duplicate key in table
  [1062, "constraint", false], // duplicate entry
  [1586, "constraint", false], // duplicate entry, with key name
  [1761, "constraint", false], // cascading duplicate
  [1048, "constraint", false], // NULL in a NOT NULL column
  [1263, "constraint", false], // NULL in a NOT NULL column of LOAD DATA
  [1364, "constraint", false], // no default
  [1216, "constraint", false], // foreign key, child
  [1217, "constraint", false], // foreign key, parent
  [1451, "constraint", false], // foreign key, parent, with name
  [1452, "constraint", false], // foreign key, child, with name
  [1526, "constraint", false], // no partition for the value
  [1737, "constraint", false], // a row of the table does not belong to the partition
  [1644, "constraint", false], // SIGNAL in a trigger
  [3819, "constraint", false], // MySQL: check
  [4025, "constraint", false], // MariaDB: check
  [1153, "data", false], // packet too large
  [1210, "data", false], // wrong arguments
  [1230, "data", false], // wrong value for variable
  [1261, "data", false], // too few fields
  [1262, "data", false], // too many fields
  [1264, "data", false], // out of range
  [1265, "data", false], // truncated
  [1292, "data", false], // incorrect value
  [1300, "data", false], // invalid character string
  [1301, "data", false], // result larger than max_allowed_packet
  [1366, "data", false], // incorrect value for the column
  [1367, "data", false], // illegal value while parsing
  [1406, "data", false], // too long
  [1411, "data", false], // incorrect value for function
  [1416, "data", false], // no geometry
  [1525, "data", false], // incorrect value
  [1690, "data", false], // out of range in an expression
  [1441, "data", false], // datetime overflow
  [1977, "data", false], // MariaDB: cannot convert between character sets
  [3140, "data", false], // MySQL: invalid JSON text
  [3141, "data", false], // MySQL: invalid JSON for a function
  [3144, "data", false], // MySQL: JSON in another character set
  [3037, "data", false], // MySQL: invalid geometry
  [3988, "data", false], // MySQL: cannot convert between character sets
  [3854, "data", false], // MySQL: cannot convert between character sets
  [4038, "data", false], // MariaDB: invalid JSON
  [1148, "unsupported", false], // MySQL 5.7: LOCAL INFILE forbidden
  [3948, "unsupported", false], // MySQL 8: LOCAL INFILE forbidden
  [4166, "unsupported", false], // MariaDB: LOCAL INFILE forbidden
  [1031, "unsupported", false], // engine cannot
  [1193, "unsupported", false], // unknown variable
  [1786, "unsupported", false], // MySQL with GTIDs: CREATE TABLE … SELECT
  [1787, "unsupported", false], // MySQL with GTIDs: temporary tables in a transaction
  [3750, "unsupported", false], // MySQL: a table without primary key is not allowed
  [1235, "unsupported", false], // not yet supported
  [1731, "unsupported", false], // partition and table differ in an attribute
  [1736, "unsupported", false], // partition and table differ in their definitions
  [1286, "unsupported", false], // unknown engine
  [1295, "unsupported", false], // not in the prepared statement protocol
]

/** What the driver throws; every field may be absent. */
export interface DriverError {
  readonly message: string
  readonly code?: string | undefined
  readonly errno?: number | undefined
  readonly sqlState?: string | undefined
  readonly sqlMessage?: string | undefined
}

/** Turns what the driver threw into a failure; `action` says what could not be done. Failures pass unchanged. */
export function failureOf(session: Pick<Session, "failure">, action: string, cause: unknown): Failure {
  if (isFailure(cause)) return cause
  const error = (cause ?? {}) as Partial<DriverError> // only read by optional fields
  const [reason, retryable] = classify(error)
  const code = error.errno !== undefined && typeof error.errno === "number" ? String(error.errno) : error.code
  const text = (error.sqlMessage || error.message || String(cause)).replace(/\.$/, "")
  const hint = hints[String(error.errno ?? "")] ?? hints[error.code ?? ""]
  return session.failure(reason, `${action}: ${text}`, {
    retryable,
    cause,
    ...(code !== undefined && { code }),
    ...(hint !== undefined && { hint }),
  })
}

export function classify(error: Partial<DriverError>): readonly [FailureReason, boolean] {
  const row = table.get(error.errno ?? "") ?? table.get(error.code ?? "")
  if (row) return row
  const state = error.sqlState ?? ""
  if (state.startsWith("22")) return ["data", false]
  if (state.startsWith("23")) return ["constraint", false]
  if (state.startsWith("08")) return ["connection", true]
  if (state.startsWith("28")) return ["authentication", false]
  // The engine's own error numbers arrive in the text; 28 is ENOSPC.
  if (error.errno === 1030 || error.errno === 3)
    return [/\b28\b/.test(error.message ?? "") ? "resource" : "unknown", false]
  return ["unknown", false]
}

/** True for errors that one row is to blame for; the others stop a load. */
export function isRowError(error: Partial<DriverError>): boolean {
  const [reason] = classify(error)
  return reason === "data" || reason === "constraint"
}

/** Node's errors of TLS have a `reason` as well, which is a sentence. */
function isFailure(cause: unknown): cause is Failure {
  return cause instanceof Error && "reason" in cause && reasons.has(String(cause.reason))
}

const reasons = new Set<string>([...failures.map(([, reason]) => reason), "unknown"])
const table = new Map<number | string, readonly [FailureReason, boolean]>(
  failures.map(([code, reason, retryable]) => [code, [reason, retryable]]),
)

const hints: Record<string, string> = {
  HANDSHAKE_NO_SSL_SUPPORT: "Turn on TLS at the server, or set tls to off",
  HANDSHAKE_SSL_ERROR: "Give the server's authority in tlsCa, or set tls to require to go without the check",
  ENOTFOUND: "Check the spelling of the host",
  ECONNREFUSED: "Check host and port, and that the server is running",
  "1045": "Check user and password, and from which hosts the user may log in",
  "3159": "Set tls to verify",
  "1787": "Update to MySQL 8.0.13 or later, or load with overwriteRows into a table that has no other unique key",
  "1114": "Free disk space at the server",
  "1021": "Free disk space at the server",
}
