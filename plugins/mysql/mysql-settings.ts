import type { ConfigSchema } from "../../core/contract/index.ts"

/** How a MySQL or MariaDB server is reached. */
export interface MysqlSettings {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password?: string
  readonly socketPath?: string
  /** Absent: `off` for a socket or a loopback address, `verify` for every other host. */
  readonly tls?: "verify" | "require" | "off"
  readonly tlsCa?: string
}

export const settingsSchema: ConfigSchema = {
  type: "object",
  properties: {
    host: { type: "string", default: "localhost", description: "Name or address of the server." },
    port: { type: "integer", minimum: 1, maximum: 65535, default: 3306, description: "TCP port of the server." },
    database: { type: "string", minLength: 1, description: "Database to use where a table names none." },
    user: { type: "string", minLength: 1, description: "User to log in as." },
    password: { type: "string", "x-secret": true, description: "Password of the user." },
    socketPath: { type: "string", description: "Unix socket of a server on this machine, instead of host and port." },
    tls: {
      enum: ["verify", "require", "off"],
      description:
        "`verify` encrypts and checks certificate and host name, `require` encrypts and checks nothing, `off` sends everything in clear. Without it: `off` for a socket and for loopback addresses, otherwise `verify`.",
    },
    tlsCa: { type: "string", description: "PEM text of the authority to trust instead of the well-known ones." },
  },
  required: ["database", "user"],
  additionalProperties: false,
}

export function tlsMode(settings: MysqlSettings): "verify" | "require" | "off" {
  if (settings.tls !== undefined) return settings.tls
  return settings.socketPath !== undefined || isLoopback(settings.host) ? "off" : "verify"
}

/** Where a connection goes, for messages. */
export function addressOf(settings: MysqlSettings): string {
  return settings.socketPath ?? `${settings.host}:${settings.port}`
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)
}
