import type { ConfigSchema } from "../../core/contract/index.ts"

export interface PostgresSettings {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password?: string
  readonly tls: "auto" | "verify" | "require" | "off"
  readonly tlsCa?: string
}

export const settingsSchema: ConfigSchema = {
  type: "object",
  additionalProperties: false,
  required: ["host", "database", "user"],
  properties: {
    host: { type: "string", description: "Host name or address of the server.", examples: ["db.example.com"] },
    port: { type: "integer", description: "TCP port of the server.", default: 5432, minimum: 1, maximum: 65535 },
    database: { type: "string", description: "Database to connect to." },
    user: { type: "string", description: "Role to log in as." },
    password: { type: "string", description: "Password of the role.", "x-secret": true },
    tls: {
      type: "string",
      enum: ["auto", "verify", "require", "off"],
      default: "auto",
      description:
        "Encryption: `verify` checks certificate and host name, `require` encrypts without a check, `off` sends everything in clear; `auto` is `verify`, and `off` for this machine itself.",
    },
    tlsCa: { type: "string", description: "Certificate authority to trust, in PEM; by default those of the system." },
  },
}
