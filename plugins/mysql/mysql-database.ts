import type { Database } from "../../core/contract/index.ts"
import { MysqlConnection } from "./mysql-connection.ts"
import { mysqlDialect } from "./mysql-dialect.ts"
import { Link } from "./mysql-link.ts"
import { type MysqlSettings, settingsSchema } from "./mysql-settings.ts"
import { takeSnapshot } from "./mysql-snapshot.ts"
import { inputColumns } from "./mysql-types.ts"

/** MySQL from 5.7 on, and MariaDB. */
export const mysqlDatabase: Database<MysqlSettings> = {
  kind: "database",
  id: "mysql",
  title: "MySQL",
  summary: "Reads and writes tables of MySQL from 5.7 on and of MariaDB.",
  description: `Every version of Headrace is tested on MySQL 5.7.22, 8.0.15 and 9.7 and on MariaDB 10.11. Accounts may use
caching_sha2_password, sha256_password and mysql_native_password. Sessions are pinned to UTC, utf8mb4 and strict mode whatever the server's defaults are.

**Reading.** \`tinyint(1)\` is a number, because it holds 2 and -1 as well. TIME is an interval, because it runs from
-838:59:59 to 838:59:59. \`bit(1)\` is a boolean, \`bit(n)\` an unsigned number. DATETIME belongs to no zone, TIMESTAMP is
an instant. Geometry and VECTOR keep the bytes in which MySQL stores them, so they return exactly.

**Writing.** Rows go in by LOAD DATA LOCAL INFILE; where the server forbids it, by INSERT statements. A row that the
server refuses, shortens or rounds is rejected and the others are loaded. Tables need an engine with transactions.
Modes that go by key use a temporary table where the key is not the table's only unique key, and need the privilege
CREATE TEMPORARY TABLES then.

JSON is text in MariaDB and stays what it is. MySQL keeps a form of its own, which orders the members anew, drops all but
one of the same name, and knows integers of 64 bits and doubles only: a row with a number that it would round is rejected.
MySQL enforces CHECK constraints from 8.0.16 on. MySQL 9.7 tells users without SESSION_VARIABLES_ADMIN no more than
max_error_count warnings of a statement, so that many bad rows at once take longer to find.

**New tables.** An instant becomes TIMESTAMP, which ends in January 2038: rows beyond it are rejected. Map the column to
DATETIME where such values exist.

**Replacing a table.** The loaded table takes the place of the old one by RENAME TABLE, or by EXCHANGE PARTITION where a
partition holds just the rows that are replaced. Grants, views, indexes, checks, partitions and the AUTO_INCREMENT value
stay. Triggers, foreign keys in either direction, a system-versioned table and an engine without transactions forbid it.
The user needs CREATE, ALTER, DROP, INSERT, SELECT and TRIGGER on the database. Foreign keys of tables that the user may not
see cannot be noticed.

**Snapshot.** Parallel splits see one state of InnoDB tables when the user has RELOAD or FLUSH_TABLES (a global read lock
for some milliseconds) or may see the binary log (REPLICATION CLIENT). Other engines have no snapshots.`,
  config: settingsSchema,
  examples: [
    {
      title: "A server in the network",
      config: { host: "db.example.com", database: "shop", user: "etl", password: "…" },
    },
    {
      title: "A server with an authority of its own",
      config: {
        host: "10.0.0.5",
        database: "shop",
        user: "etl",
        password: "…",
        tls: "verify",
        tlsCa: "-----BEGIN CERTIFICATE-----…",
      },
    },
  ],
  dialect: mysqlDialect,
  inputOptions: {
    zeroDates: {
      type: "string",
      default: "null",
      examples: ["null", "reject", "1970-01-01"],
      description:
        "What becomes of `0000-00-00` and of dates with a month or day of zero: `null` makes them NULL and counts them, `reject` rejects the row, a date stands in for them.",
    },
    tinyint1AsBoolean: {
      type: "boolean",
      default: false,
      description: "Reads `tinyint(1)` as a boolean; a row with a value other than 0 and 1 is rejected.",
    },
    timeAs: {
      enum: ["interval", "time", "string"],
      default: "interval",
      description:
        "What TIME is read as. `interval` and `string` keep every value; `time` rejects rows outside of 00:00:00 to 24:00:00.",
    },
  },
  outputOptions: {
    unrepresentable: {
      enum: ["reject", "null"],
      default: "reject",
      description:
        "What becomes of values that MySQL does not have, such as NaN, infinity and years outside of 1 to 9999: `reject` rejects the row, `null` makes them NULL and counts them.",
    },
  },
  async connect(settings, session) {
    return new MysqlConnection(await Link.open(settings, session))
  },
  snapshot: takeSnapshot,
  inputColumns,
}
