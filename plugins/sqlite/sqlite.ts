import { DatabaseSync } from "node:sqlite"
import type { Database, Failure, Session } from "../../core/contract/index.ts"
import { dialect } from "./dialect.ts"
import { whenFree } from "./lock.ts"
import { pragma } from "./rows.ts"
import { SqliteConnection } from "./sqlite-connection.ts"
import { failure } from "./sqlite-failure.ts"

export interface SqliteSettings {
  readonly path: string
  readonly readOnly: boolean
  readonly busyTimeoutMs: number
  readonly createIfMissing: boolean
}

export default {
  kind: "database",
  id: "sqlite",
  title: "SQLite",
  summary: "Tables of an SQLite 3 file.",
  description: `
**Types.** SQLite lets every value have a type of its own. Headrace goes by the declared type of the column: \`INTEGER\` and
everything with \`INT\` in it is int64 (\`INT2\` int16, \`INT4\` int32), \`REAL\`, \`FLOAT\`, \`DOUBLE\` float64, \`VARCHAR(n)\`
text of at most n characters, \`DECIMAL(p,s)\`, \`NUMERIC\`, \`BOOLEAN\` (0 and 1), \`DATE\`, \`TIME\`, \`DATETIME\`, \`TIMESTAMP\`,
\`TIMESTAMPTZ\` (ISO text), \`JSON\`, \`UUID\`, \`BLOB\`. A value of another type, such as text in an INTEGER column, rejects its
row; nothing is converted by guess. A column or expression without a declared type gets the type that its first 1000 rows
have; \`CAST(… AS INTEGER)\` in a query settles it.

**Exactness.** SQLite keeps 15 digits of a DECIMAL or NUMERIC column, because it makes floating-point numbers of them; a
decimal that would lose a digit rejects its row. Tables that Headrace creates declare \`DECIMAL_TEXT(p,s)\`, \`UNSIGNED_TEXT\`
and \`JSON_TEXT\`, in which SQLite keeps every digit. NaN cannot be stored (option \`nan\`); -0 becomes 0 and is counted.

**Locks.** One connection writes at a time; others wait up to \`busyTimeoutMs\`. New files use WAL, existing ones keep their
journal mode. Without WAL, a flow that reads and writes one file at the same time fails when \`busyTimeoutMs\` is over, because
the writer waits for the reader: switch the file to WAL by \`PRAGMA journal_mode = WAL\`. While a table is replaced, an empty
file beside the database, whose name ends in \`-headrace-lock-…\`, keeps other runs away; it stays, and may be removed when
no run is going on.

**One file.** SQL of a flow reaches the file of its data source and no other: \`ATTACH\`, \`VACUUM\` and \`VACUUM INTO\` are
refused.

**Limits.** The driver is synchronous: a statement that computes long before its first row cannot be cancelled.
`.trim(),
  config: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1, description: "Path of the database file.", examples: ["/data/shop.db"] },
      readOnly: { type: "boolean", default: false, description: "Opens the file for reading only." },
      busyTimeoutMs: {
        type: "integer",
        minimum: 0,
        default: 60_000,
        description: "How long to wait, in milliseconds, while somebody else holds the lock.",
      },
      createIfMissing: {
        type: "boolean",
        default: true,
        description: "Creates the file when something is written and there is none. Reading never creates it.",
      },
    },
    required: ["path"],
    additionalProperties: false,
  },
  examples: [
    { title: "A file that is read and written", config: { path: "/data/shop.db" } },
    { title: "A file of somebody else", config: { path: "/data/shop.db", readOnly: true } },
  ],
  outputOptions: {
    nan: {
      enum: ["reject", "null", "text"],
      default: "reject",
      description: "What becomes of NaN, which SQLite cannot store as a number: reject the row, NULL, or the text NaN.",
    },
  },
  dialect,
  async connect(settings, session) {
    const open = (creates: boolean) => openDatabase(settings, session, creates)
    const options = { ...settings, session, isShared: false }
    try {
      return new SqliteConnection(await open(false), options)
    } catch (error) {
      if (settings.readOnly || !settings.createIfMissing || (error as Failure).reason !== "missing") throw error // by its shape
      return new SqliteConnection(nothing(), { ...options, open })
    }
  },

  /**
   * One read transaction that all connections share. The driver works in one thread, so connections of their own would
   * read no faster, and only this way every one of them sees the same state for sure.
   */
  async snapshot(settings, _connections, session) {
    const database = await openDatabase(settings, session, false)
    const options = { ...settings, isShared: true }
    const pinned = new SqliteConnection(database, { ...options, session })
    try {
      await pinned.begin()
      await pinned.query("SELECT count(*) FROM sqlite_schema")
    } catch (error) {
      database.close()
      throw error
    }
    return {
      label: "one read transaction",
      consistent: true,
      connect: async (session) => new SqliteConnection(database, { ...options, session }),
      async [Symbol.asyncDispose]() {
        await pinned.rollback()
        database.close()
      },
    }
  },
} satisfies Database<SqliteSettings>

async function openDatabase(settings: SqliteSettings, session: Session, creates: boolean): Promise<DatabaseSync> {
  const database = openFile(settings, session, creates)
  try {
    return await whenFree(`Cannot open "${settings.path}"`, { ...settings, session }, () => {
      database.exec("PRAGMA busy_timeout = 0")
      database.exec("PRAGMA foreign_keys = ON")
      // Reading the schema is what tells whether this is a database at all.
      const tables = pragma(database, "SELECT count(*) AS tables FROM sqlite_schema")[0]?.tables
      const isNew = tables === 0 && pragma(database, "PRAGMA page_count")[0]?.page_count === 0
      if (isNew && !settings.readOnly) pragma(database, "PRAGMA journal_mode = WAL")
      addFloor(database)
      return database
    })
  } catch (error) {
    database.close()
    throw error
  }
}

/** Deno's SQLite has no mathematical functions, of which the host uses this one to cut a table into splits. */
function addFloor(database: DatabaseSync): void {
  const [known] = pragma(database, "SELECT 1 FROM pragma_function_list WHERE name = 'floor'")
  if (!known) database.function("floor", (value) => (typeof value === "number" ? Math.floor(value) : value))
}

/** What is seen of a file that does not exist. */
function nothing(): DatabaseSync {
  return new DatabaseSync(":memory:", { limits: ONE_FILE })
}

/** SQL of a flow must not reach files that the data source does not name; VACUUM INTO attaches one as well. */
const ONE_FILE = { attach: 0 }

function openFile({ path, readOnly }: SqliteSettings, session: Session, creates: boolean): DatabaseSync {
  if (/^(?::memory:|\s*|file:.*)$/i.test(path)) {
    throw session.failure("config", `Cannot open "${path}": every connection would see a database of its own`, {
      hint: "Give the path of a file",
    })
  }
  try {
    // The driver has no mode that writes and never creates.
    if (!readOnly && !creates) new DatabaseSync(path, { readOnly: true }).close()
    return new DatabaseSync(path, { readOnly, limits: ONE_FILE })
  } catch (error) {
    throw failure(session, `Cannot open "${path}"`, error)
  }
}
