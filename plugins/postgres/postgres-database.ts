import type { Database } from "../../core/contract/index.ts"
import { connect } from "./postgres-connection.ts"
import { postgresDialect } from "./postgres-dialect.ts"
import { type PostgresSettings, settingsSchema } from "./settings.ts"
import { snapshot } from "./snapshot.ts"

const postgres: Database<PostgresSettings> = {
  kind: "database",
  letsGo: true,
  id: "postgres",
  title: "PostgreSQL",
  summary: "PostgreSQL 10 and later, read and written with binary COPY.",
  description: `Reads through \`COPY (SELECT …) TO STDOUT\` and writes through \`COPY … FROM STDIN\`, both binary. Where both sides
declare the same column types and no step between needs values, the bytes are forwarded unread. A CSV file in the usual
dialect takes the records that the server itself writes, where these are the same to the byte: with \`real\` they are not,
nor with \`double precision\` before version 12.

Parallel splits read one exported snapshot. Without a split column a table is cut into ranges of its pages (version 14 and
later). Types without a counterpart (arrays, ranges, enums, \`inet\`, …) travel as text and are written back exactly.

The session is pinned: UTC, ISO dates, UTF-8, no timeouts, whatever the server or the role prescribe.`,
  config: settingsSchema,
  outputOptions: {
    nulCharacters: {
      type: "string",
      enum: ["reject", "strip", "replace"],
      default: "reject",
      description:
        "What to do with U+0000 in text, which PostgreSQL does not hold: reject the row, drop the character, or write U+FFFD.",
    },
  },
  examples: [{ title: "A server with TLS", config: { host: "db.example.com", database: "shop", user: "etl" } }],
  dialect: postgresDialect,
  connect,
  snapshot,
}

export default postgres
