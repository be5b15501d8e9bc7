import type { Options } from "postgres"
import { StoreError } from "../../core/store/store-error.ts"

export interface PostgresStoreSettings {
  readonly host: string
  readonly port?: number
  readonly database: string
  readonly user: string
  readonly password?: string
  /** Of the store's tables. It is made where it is missing. Default: `headrace`. */
  readonly schema?: string
  /** As at PostgreSQL data sources: `auto` is `verify`, and `off` for this machine itself. */
  readonly tls?: "auto" | "verify" | "require" | "off"
  /** Certificate authority to trust, in PEM. */
  readonly tlsCa?: string
  /** Most connections at a time. Default: 10. */
  readonly connections?: number
}

export const DEFAULT_SCHEMA = "headrace"

/** Reads `postgres://user:password@host:port/database`, with other settings behind the question mark. */
export function postgresStoreSettings(url: string): PostgresStoreSettings {
  if (!URL.canParse(url)) throw refused("it is no URL")
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url)
  if (protocol !== "postgres:" && protocol !== "postgresql:") throw refused(`its scheme is "${protocol}"`)
  const database = decodeURIComponent(pathname.slice(1))
  if (hostname === "" || username === "" || database === "") throw refused("host, user or database is missing")
  const { tls, connections, schema, ...rest } = Object.fromEntries(searchParams)
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw refused(`it has an unknown setting "${unknown}"`)
  if (tls !== undefined && !isTls(tls)) throw refused(`tls is "${tls}"`)
  if (connections !== undefined && !/^[1-9]\d{0,2}$/.test(connections)) throw refused(`connections is "${connections}"`)
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    database,
    user: decodeURIComponent(username),
    ...(port === "" ? {} : { port: Number(port) }),
    ...(password === "" ? {} : { password: decodeURIComponent(password) }),
    ...(schema === undefined ? {} : { schema }),
    ...(tls === undefined ? {} : { tls }),
    ...(connections === undefined ? {} : { connections: Number(connections) }),
  }
}

/** Where the store is, without a secret. */
export function placeOf({ host, port = 5432, database, schema = DEFAULT_SCHEMA }: PostgresStoreSettings): string {
  return `${host}:${port}/${database}, schema ${schema}`
}

export function driverOptions(settings: PostgresStoreSettings): Options<Record<string, never>> {
  const { host, port = 5432, database, user, password = "", schema = DEFAULT_SCHEMA } = settings
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: tlsOf(settings),
    // Types are those of the tables: whole numbers are numbers, as in SQLite. A sum of them is "numeric".
    fetch_types: false,
    types: { whole: { to: 20, from: [20, 1700], serialize: String, parse: Number } } as never, // the types know no such names
    onnotice: () => {},
    connection: {
      application_name: "headrace store",
      search_path: `"${schema.replaceAll('"', '""')}"`,
      TimeZone: "UTC",
      client_encoding: "UTF8",
      standard_conforming_strings: "on",
      // A server that has lost its way must not hold what others wait for.
      statement_timeout: "120000",
      idle_in_transaction_session_timeout: "120000",
    } as Record<string, string>,
  }
}

function tlsOf({ host, tls = "auto", tlsCa }: PostgresStoreSettings): false | object {
  const isLocal = host === "localhost" || host === "::1" || /^127\./.test(host) || host.startsWith("/")
  if (tls === "off" || (tls === "auto" && isLocal)) return false
  if (tls === "require") return { rejectUnauthorized: false }
  return { rejectUnauthorized: true, ...(tlsCa === undefined ? {} : { ca: tlsCa }) }
}

function isTls(text: string): text is NonNullable<PostgresStoreSettings["tls"]> {
  return ["auto", "verify", "require", "off"].includes(text)
}

/** The URL itself may hold a password, so it is not repeated. */
function refused(why: string): StoreError {
  return new StoreError({
    reason: "config",
    message: `Cannot use the URL of the store: ${why}`,
    hint: "Write postgres://user:password@host:5432/database, with ?schema=, ?tls= or ?connections= where needed",
  })
}
