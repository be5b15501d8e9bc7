import { afterAll, expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Batch, Columns, Connection, LogicalType, Row, TableColumn, WriteMode } from "../../core/contract/index.ts"
import { type TestSession, testSession } from "../../scripts/testing/session.ts"
import { typeName } from "../_sql/type-name.ts"
import sqlite from "./sqlite.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-sqlite-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newPath = () => join(folder, `${++files}.db`)

interface Opened {
  readonly connection: Connection
  readonly session: TestSession
  readonly path: string
}

async function open(path = newPath(), settings = {}, session = testSession()): Promise<Opened> {
  const all = { path, readOnly: false, busyTimeoutMs: 2000, createIfMissing: true, ...settings }
  const connection = await sqlite.connect(all, session)
  // The file is made by whatever writes first.
  if (!all.readOnly && all.createIfMissing && !existsSync(path)) await connection.execute("PRAGMA user_version = 0")
  return { connection, session, path }
}

async function* stream(...batches: Batch[]) {
  yield* batches
}

async function load(opened: Opened, table: string, rows: readonly Row[], options: Record<string, unknown> = {}) {
  const { connection, session } = opened
  const {
    mode = "append",
    keyColumns = [],
    only,
    ...rest
  } = options as {
    mode?: WriteMode
    keyColumns?: string[]
    only?: string[]
  }
  const info = await connection.describeTable({ name: table })
  const columns = info!.columns.filter(({ name, generated }) => !generated && (only?.includes(name) ?? true))
  const batch = session.batches.fromRows(columns, rows)
  await connection.begin()
  const receipt = await connection.load(
    { table: { name: table }, columns, mode, keyColumns, options: rest },
    stream(batch),
    session,
  )
  await connection.commit()
  return receipt.written
}

async function read({ connection, session }: Opened, sql: string, columns?: Columns): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = []
  const described = columns ?? (await connection.describeQuery(sql))
  for await (const batch of connection.read({ sql, columns: described, options: {} }, session)) {
    if (batch.encoding !== undefined) throw new Error("no frame was asked for")
    for (let row = 0; row < batch.rows; row++) {
      rows.push(batch.vectors.map((vector) => session.batches.valueText(vector, row)))
    }
  }
  return rows
}

const values: readonly [LogicalType, readonly string[]][] = [
  [{ kind: "boolean" }, ["true", "false"]],
  [{ kind: "int16" }, ["-32768", "32767", "0"]],
  [{ kind: "int32" }, ["-2147483648", "2147483647"]],
  [{ kind: "int64" }, ["-9223372036854775808", "9223372036854775807", "9007199254740993"]],
  [{ kind: "uint64" }, ["18446744073709551615", "9223372036854775808", "0"]],
  [{ kind: "float32" }, ["3.4028235e+38", "0.1", "-Infinity"]],
  [{ kind: "float64" }, ["1.7976931348623157e+308", "5e-324", "Infinity", "0.30000000000000004", "5"]],
  [{ kind: "decimal", precision: 12, scale: 2 }, ["9999999999.99", "-0.01", "12.50", "0.00"]],
  [{ kind: "decimal", precision: 30, scale: 10 }, ["12345678901234567890.1234567891", "-0.0000000001"]],
  [{ kind: "decimal" }, ["1.10", `${"9".repeat(78)}.${"1".repeat(30)}`, "NaN", "-Infinity"]],
  [{ kind: "string" }, ["", "'; DROP TABLE t; --", 'a"b\\c\n\t', "a\0b", "😀 ünï", "007", "1e5", "NULL"]],
  [{ kind: "string", length: 3 }, ["abc", "😀😀😀", ""]],
  [{ kind: "bytes" }, ["\\x", "\\x00ff", "\\x610062"]],
  [{ kind: "bytes", length: 2 }, ["\\x0001"]],
  [{ kind: "date" }, ["2024-02-29", "0001-01-01", "9999-12-31", "0044-03-15 BC", "infinity", "-infinity"]],
  [{ kind: "time" }, ["00:00:00", "23:59:59.999999", "24:00:00"]],
  [
    { kind: "timestamp", zone: false },
    ["2024-02-29 12:00:00.5", "0001-01-01 00:00:00", "infinity", "12022-01-01 00:00:00"],
  ],
  [{ kind: "timestamp", zone: false, precision: 3 }, ["2024-02-29 12:00:00.123"]],
  [{ kind: "timestamp", zone: true }, ["2024-02-29 12:00:00.000001+00", "1970-01-01 00:00:00+00", "-infinity"]],
  [{ kind: "interval" }, ["1 mon 2 days", "-838:59:59", "12"]],
  [{ kind: "json" }, ['{"a":12345678901234567890.10}', "1.10", "123456789012345678901234567890", '"\\u0000"', "null"]],
  [{ kind: "uuid" }, ["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000"]],
]

test.each(values.map(([type, texts]) => [typeName(type), type, texts] as const))(
  "sqlite keeps every digit of %s",
  async (_, type, texts) => {
    const opened = await open()
    const column = { name: "v", type, nullable: true }
    await opened.connection.execute(`CREATE TABLE t (v ${sqlite.dialect.columnType(column, { key: false }).type})`)
    const info = await opened.connection.describeTable({ name: "t" })
    expect(info!.columns[0]!.type).toEqual(type)
    const wanted = [...texts, null].map((v) => ({ v: v?.startsWith("\\x") ? hex(v) : v }))
    expect(await load(opened, "t", wanted)).toBe(wanted.length)
    expect(await read(opened, "SELECT v FROM t ORDER BY rowid")).toEqual([...texts, null].map((text) => [text]))
    expect(opened.session.rejected).toEqual([])
    await opened.connection.close()
  },
)

test("sqlite keeps text in a UTF-16 database", async () => {
  const opened = await open()
  const path = newPath()
  const { DatabaseSync } = await import("node:sqlite")
  const raw = new DatabaseSync(path)
  raw.exec("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (v TEXT)")
  raw.close()
  const wide = await open(path)
  await load(wide, "t", [{ v: "a\0b 😀" }, { v: "" }])
  expect(await read(wide, "SELECT v FROM t")).toEqual([["a\0b 😀"], [""]])
  await opened.connection.close()
})

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

test("sqlite rejects values that are not of their column's declared type, and reads the others", async () => {
  const opened = await open()
  await opened.connection.execute("CREATE TABLE t (i INTEGER, d DATE, s VARCHAR(2), b BLOB, o BOOLEAN, m DECIMAL(5,2))")
  await opened.connection.execute(`INSERT INTO t VALUES
    (1, '2024-01-01', 'ab', x'00', 1, 1.25),
    ('one', '2024-01-01', 'ab', x'00', 0, 1),
    (2.5, NULL, NULL, NULL, NULL, NULL),
    (3, 20240101, NULL, NULL, NULL, NULL),
    (4, NULL, 'abc', NULL, NULL, NULL),
    (5, NULL, CAST(x'ff' AS TEXT), NULL, NULL, NULL),
    (6, NULL, NULL, 'text', NULL, NULL),
    (7, NULL, NULL, NULL, 2, NULL),
    (8, NULL, NULL, NULL, NULL, 1.255),
    (9, NULL, NULL, NULL, NULL, NULL)`)
  expect((await read(opened, "SELECT * FROM t")).map(([i]) => i)).toEqual(["1", "9"])
  expect(opened.session.rejected.map(({ row, column, value }) => [row, column, value])).toEqual([
    [1, "i", "one"],
    [2, "i", "2.5"],
    [3, "d", "20240101"],
    [4, "s", "abc"],
    [5, "s", "\\xff"],
    [6, "b", "text"],
    [7, "o", "2"],
    [8, "m", "1.255"],
  ])
  expect(opened.session.rejected[0]).toMatchObject({
    reason: 'TEXT value in column "i", which is declared INTEGER, is not of type int64',
    record: { i: "one", d: "2024-01-01", s: "ab", b: "\\x00", o: "0", m: "1" },
  })
})

test("sqlite loads decimals into a DECIMAL column only as far as SQLite keeps them", async () => {
  const opened = await open()
  await opened.connection.execute("CREATE TABLE t (v DECIMAL(30,10))")
  const kept = ["12.5", "123456789012345678", "9223372036854775807", "12345.1234567891", "-0.1"]
  const lost = ["12345678901234567890.1234567891", "9223372036854775808", "123456789012345.6789"]
  const written = await load(
    opened,
    "t",
    [...kept, ...lost].map((v) => ({ v })),
  )
  expect(written).toBe(kept.length)
  expect(opened.session.rejected.map(({ value }) => Number(value))).toEqual(lost.map(Number))
  expect(opened.session.rejected[0]!.reason).toContain("does not keep every digit")
  expect((await read(opened, "SELECT v FROM t")).map(([v]) => v!.replace(/\.?0*$/, ""))).toEqual(kept)
})

test("sqlite rejects rows that the table refuses and keeps the rest", async () => {
  const opened = await open()
  await opened.connection.execute(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE ON CONFLICT IGNORE, n INTEGER CHECK (n < 10))",
  )
  const rows = [
    { id: 1, name: "a", n: 1 },
    { id: 1, name: "b", n: 1 },
    { id: 2, name: null, n: 1 },
    { id: 3, name: "c", n: 11 },
    { id: 4, name: "a", n: 1 },
    { id: null, name: "e", n: 1 },
    { id: 6, name: "f", n: null },
  ]
  expect(await load(opened, "t", rows)).toBe(2)
  expect(opened.session.rejected.map(({ row, column, code }) => [row, column, code])).toEqual([
    [1, "id", "SQLITE_CONSTRAINT_PRIMARYKEY"],
    [2, "name", "SQLITE_CONSTRAINT_NOTNULL"],
    [3, undefined, "SQLITE_CONSTRAINT_CHECK"],
    [4, "name", "SQLITE_CONSTRAINT_UNIQUE"],
    [5, "id", undefined],
  ])
  expect(await opened.connection.query("SELECT id FROM t ORDER BY id")).toEqual([["1"], ["6"]])
})

test("sqlite loads into STRICT and WITHOUT ROWID tables", async () => {
  const opened = await open()
  await opened.connection.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v INT, r REAL, b BLOB) STRICT, WITHOUT ROWID")
  expect(await load(opened, "t", [{ k: "a", v: 1n, r: 1.5, b: new Uint8Array([1]) }])).toBe(1)
  const info = await opened.connection.describeTable({ name: "t" })
  expect([info!.primaryKey, info!.uniqueKeys]).toEqual([["k"], [["k"]]])
  expect(info!.columns[0]).toMatchObject({ nullable: false, identity: false })
  expect(await opened.connection.physicalSplits!({ name: "t" }, 4)).toEqual([])
})

test("sqlite overwrites a whole row, updates parts of one, and lets the last row of a key win", async () => {
  const opened = await open()
  await opened.connection.execute(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT DEFAULT 'fresh', c TEXT UNIQUE)",
  )
  await load(opened, "t", [
    { id: 1, a: "old", b: "old", c: "1" },
    { id: 2, a: "old", b: "old", c: "2" },
    { id: 3, a: "old", b: "old", c: "3" },
  ])
  const keys = { keyColumns: ["id"], only: ["id", "a"] }
  await load(
    opened,
    "t",
    [
      { id: 1, a: "new" },
      { id: 1, a: "newer" },
    ],
    { ...keys, mode: "overwriteRows" },
  )
  await load(opened, "t", [{ id: 2, a: "new" }], { ...keys, mode: "updateRows" })
  await load(opened, "t", [{ id: 1, c: "3" }], { keyColumns: ["id"], only: ["id", "c"], mode: "overwriteRows" })
  expect(opened.session.rejected.map(({ code }) => code)).toEqual(["SQLITE_CONSTRAINT_UNIQUE"])
  expect(await opened.connection.query("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", "newer", "fresh", null],
    ["2", "new", "old", "2"],
    ["3", "old", "old", "3"],
  ])
})

test.each([
  ["reject", 1, []],
  ["null", 2, [[null]]],
  ["text", 2, [["NaN"]]],
] as const)("sqlite does with NaN what the option says: %s", async (nan, written, stored) => {
  const opened = await open()
  await opened.connection.execute("CREATE TABLE t (v REAL)")
  expect(await load(opened, "t", [{ v: -0 }, { v: Number.NaN }], { nan })).toBe(written)
  expect(await read(opened, "SELECT v FROM t LIMIT -1 OFFSET 1")).toEqual(stored.map((row) => [...row]))
  expect(opened.session.adjustments.get("negativeZero/v")).toBe(1)
  expect(opened.session.adjustments.get("nan/v")).toBe(nan === "reject" ? undefined : 1)
})

test("sqlite describes tables", async () => {
  const opened = await open()
  await opened.connection.execute(`CREATE TABLE "My ""T" (
    id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INT DEFAULT 1, g TEXT GENERATED ALWAYS AS (a || 'x') STORED, u, UNIQUE (a, b))`)
  await opened.connection.execute(`CREATE UNIQUE INDEX p ON "My ""T" (b) WHERE b > 1`)
  await opened.connection.execute(`CREATE UNIQUE INDEX e ON "My ""T" (lower(a))`)
  await opened.connection.execute(`INSERT INTO "My ""T" (a, u) VALUES ('x', 1), ('y', 2.5)`)
  await opened.connection.execute("ANALYZE")
  await opened.connection.execute(`CREATE VIEW v AS SELECT id, a || 'z' AS az, CAST(b AS REAL) AS r FROM "My ""T"`)
  const info = await opened.connection.describeTable({ name: 'my "t' })
  expect(info).toMatchObject({
    table: { name: 'My "T' },
    kind: "table",
    primaryKey: ["id"],
    uniqueKeys: [["id"], ["a", "b"]],
    estimatedRows: 2,
  })
  const flags = info!.columns.map((column: TableColumn) => [
    column.name,
    typeName(column.type),
    column.nullable,
    column.generated,
    column.identity,
    column.hasDefault,
  ])
  expect(flags).toEqual([
    ["id", "int64", false, false, true, true],
    ["a", "string", false, false, false, false],
    ["b", "int64", true, false, false, true],
    ["g", "string", true, true, false, false],
    ["u", "decimal", true, false, false, false],
  ])
  const view = await opened.connection.describeTable({ name: "v" })
  expect([view!.kind, ...view!.columns.map(({ type }) => typeName(type))]).toEqual([
    "view",
    "int64",
    "string",
    "float64",
  ])
  expect(await opened.connection.describeTable({ name: "nope" })).toBeUndefined()
  expect(await opened.connection.tables()).toEqual([{ name: 'My "T' }, { name: "v" }])
})

test("sqlite describes queries, expressions included", async () => {
  const opened = await open()
  await opened.connection.execute("CREATE TABLE t (i INTEGER, d DECIMAL(12,2))")
  await opened.connection.execute("INSERT INTO t VALUES (1, 2.5)")
  const sql = "WITH x AS (SELECT i, d FROM t) SELECT i, d AS i2, count(*) AS n, CAST(d AS TEXT) AS s, 1.5 AS r FROM x; "
  const columns = await opened.connection.describeQuery(sql)
  expect(columns.map(({ name, type }) => `${name} ${typeName(type)}`)).toEqual([
    "i int64",
    "i2 decimal(12,2)",
    "n int64",
    "s string",
    "r float64",
  ])
  expect(await read(opened, sql)).toEqual([["1", "2.50", "1", "2.5", "1.5"]])
  expect(await read(opened, "SELECT 1 AS a, 2 AS a")).toEqual([["1", "2"]])
  await expect(opened.connection.describeQuery("SELECT nope FROM t")).rejects.toMatchObject({ reason: "missing" })
  await expect(opened.connection.describeQuery("SELEC 1")).rejects.toMatchObject({ reason: "config" })
})

test("sqlite splits a table by row numbers, each row in exactly one range", async () => {
  const opened = await open()
  await opened.connection.execute("CREATE TABLE t (rowid TEXT, v INTEGER)")
  await opened.connection.execute(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) INSERT INTO t SELECT 'x', i FROM n",
  )
  const splits = await opened.connection.physicalSplits!({ name: "t" }, 7)
  expect(splits.length).toBe(7)
  const rows: (string | null)[][] = []
  for (const { where } of splits) rows.push(...(await read(opened, `SELECT v FROM t WHERE ${where}`)))
  expect(rows.map(([v]) => Number(v)).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
})

test("sqlite's row numbers last where they are a key, and only there", async () => {
  const opened = await open()
  const lasting = async (columns: string) => {
    await opened.connection.execute("DROP TABLE IF EXISTS t")
    await opened.connection.execute(`CREATE TABLE t (${columns})`)
    await opened.connection.execute("INSERT INTO t (id) VALUES (1), (2), (3), (4)")
    return (await opened.connection.physicalSplits!({ name: "t" }, 2)).map((split) => split.lasting)
  }
  expect(await lasting("id INTEGER PRIMARY KEY, v TEXT")).toEqual([true, true])
  // Neither is another name of the row number.
  expect(await lasting("id INT PRIMARY KEY, v TEXT")).toEqual([false, false])
  expect(await lasting("id INTEGER, v TEXT")).toEqual([false, false])
})

test("sqlite quotes identifiers and literals so that nothing breaks out", async () => {
  const opened = await open()
  for (const text of ["a'b", "a\0'b", "'; DROP TABLE t; --", "😀", ""]) {
    const sql = `SELECT ${sqlite.dialect.literal(text)} AS ${sqlite.dialect.quote(`c"${text.replaceAll("\0", "")}`)}`
    expect(await opened.connection.query(sql)).toEqual([[text]])
  }
  const typed = (kind: "int64" | "uint64" | "bytes" | "boolean" | "string", value: string) =>
    sqlite.dialect.literal(value, { name: "v", type: { kind }, nullable: true })
  expect(typed("int64", "-9223372036854775808")).toBe("-9223372036854775808")
  expect(typed("int64", "1; DROP")).toBe("'1; DROP'")
  expect(typed("uint64", "18446744073709551615")).toBe("'18446744073709551615'")
  expect(typed("bytes", "\\x00FF")).toBe("X'00FF'")
  expect(typed("boolean", "true")).toBe("1")
  expect(typed("string", "12")).toBe("'12'")
})

test("sqlite takes a sample of about the asked size", async () => {
  const opened = await open()
  const numbers = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT i FROM n)"
  const { from, where } = sqlite.dialect.sample(numbers, 0.1)
  const [[count]] = (await opened.connection.query(`SELECT count(*) FROM ${from} WHERE ${where}`)) as [[string]]
  expect(Number(count)).toBeWithin(1500, 2500)
})

test("sqlite lets a second writer wait for the first one's commit", async () => {
  const first = await open()
  await first.connection.execute("CREATE TABLE t (v INTEGER)")
  const second = await open(first.path)
  await first.connection.begin()
  await first.connection.execute("INSERT INTO t VALUES (1)")
  const waiting = load(second, "t", [{ v: 2 }])
  await first.connection.commit()
  expect(await waiting).toBe(1)
  expect(await first.connection.query("SELECT v FROM t ORDER BY v")).toEqual([["1"], ["2"]])
})

test("sqlite fails with a conflict when the lock stays taken", async () => {
  const first = await open()
  await first.connection.execute("CREATE TABLE t (v INTEGER)")
  const second = await open(first.path, { busyTimeoutMs: 20 })
  await first.connection.begin()
  await first.connection.execute("INSERT INTO t VALUES (1)")
  await expect(load(second, "t", [{ v: 2 }])).rejects.toMatchObject({ reason: "conflict", code: "SQLITE_BUSY" })
  await second.connection.rollback()
  await first.connection.rollback()
  expect(await first.connection.query("SELECT count(*) FROM t")).toEqual([["0"]])
})

test("sqlite reads one state while somebody writes", async () => {
  const reader = await open()
  await reader.connection.execute("CREATE TABLE t (v INTEGER)")
  const writer = await open(reader.path)
  await reader.connection.begin()
  expect(await reader.connection.query("SELECT count(*) FROM t")).toEqual([["0"]])
  await load(writer, "t", [{ v: 1 }])
  expect(await reader.connection.query("SELECT count(*) FROM t")).toEqual([["0"]])
  await reader.connection.commit()
  expect(await reader.connection.query("SELECT count(*) FROM t")).toEqual([["1"]])
})

test("sqlite reads all splits of a snapshot from one state, side by side", async () => {
  const writer = await open(undefined, {}, testSession({ settings: { batchRows: 2 } }))
  await writer.connection.execute("CREATE TABLE t (v INTEGER)")
  await load(
    writer,
    "t",
    [1, 2, 3, 4, 5].map((v) => ({ v })),
  )
  const settings = { path: writer.path, readOnly: true, busyTimeoutMs: 0, createIfMissing: true }
  const snapshot = await sqlite.snapshot(settings, 2, writer.session)
  expect(snapshot.consistent).toBe(true)
  const columns: Columns = [{ name: "v", type: { kind: "int64" }, nullable: true }]
  const request = { sql: "SELECT v FROM t", columns, options: {} }
  const first = await snapshot.connect(writer.session)
  const rows = first.read(request, writer.session)[Symbol.asyncIterator]()
  expect((await rows.next()).value.rows).toBe(2)
  await writer.connection.execute("DELETE FROM t")
  const second = await snapshot.connect(writer.session)
  expect(await read({ ...writer, connection: second }, request.sql, columns)).toHaveLength(5)
  await second.close()
  expect((await rows.next()).value.rows).toBe(2)
  await rows.return?.()
  await first.close()
  expect(await (await snapshot.connect(writer.session)).query("SELECT count(*) FROM t")).toEqual([["5"]])
  await snapshot[Symbol.asyncDispose]()
  await expect(snapshot.connect(writer.session).then((again) => again.query("SELECT 1"))).rejects.toThrow("not open")
  expect(await writer.connection.query("SELECT count(*) FROM t")).toEqual([["0"]])
})

test("sqlite stops reading when the run is cancelled, and when the consumer leaves", async () => {
  const opened = await open(undefined, {}, testSession({ settings: { batchRows: 10 } }))
  const sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT CAST(i AS INTEGER) AS i FROM n"
  const columns: Columns = [{ name: "i", type: { kind: "int64" }, nullable: true }]
  for await (const _ of opened.connection.read({ sql, columns, options: {} }, opened.session)) break
  const endless = async () => {
    for await (const _ of opened.connection.read({ sql, columns, options: {} }, opened.session)) opened.session.abort()
  }
  await expect(endless()).rejects.toMatchObject({ reason: "cancelled" })
  await opened.connection.execute("CREATE TABLE t (v)")
})

test("sqlite leaves the journal mode of existing files alone and uses WAL for new ones", async () => {
  const { DatabaseSync } = await import("node:sqlite")
  const path = newPath()
  const raw = new DatabaseSync(path)
  raw.exec("CREATE TABLE t (v)")
  raw.close()
  expect(await (await open(path)).connection.query("PRAGMA journal_mode")).toEqual([["delete"]])
  expect(await (await open()).connection.query("PRAGMA journal_mode")).toEqual([["wal"]])
})

test("sqlite says clearly why a file cannot be opened", async () => {
  const text = newPath()
  writeFileSync(text, "this is no database, although it is long enough to be looked at as one".repeat(20))
  await expect(open(text)).rejects.toMatchObject({ reason: "data", code: "SQLITE_NOTADB" })
  await expect(open(newPath(), { readOnly: true })).rejects.toMatchObject({ reason: "missing" })
  await expect(open(newPath(), { createIfMissing: false })).rejects.toMatchObject({ reason: "missing" })
  await expect(open(join(folder, "no", "folder.db"))).rejects.toMatchObject({ reason: "missing" })
  await expect(open(":memory:")).rejects.toMatchObject({ reason: "config" })
  await expect(open("file:x?mode=memory")).rejects.toMatchObject({ reason: "config" })
})

test("sqlite refuses to write a file that is opened for reading", async () => {
  const { path, connection } = await open()
  await connection.execute("CREATE TABLE t (v)")
  const reader = await open(path, { readOnly: true })
  await expect(reader.connection.execute("DELETE FROM t")).rejects.toMatchObject({ reason: "permission" })
  expect((await reader.connection.describeQuery("SELECT v, 1 AS one FROM t")).length).toBe(2)
})
