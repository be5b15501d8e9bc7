import { beforeAll, describe, expect, test } from "bun:test"
import rowsInput from "../../plugins/rows/rows-input.ts"
import { missingMysql } from "../../scripts/services/mysql.ts"
import { mysql } from "../../scripts/services/services.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { makeSubject, SUBJECTS, type Subject, type SubjectName } from "../../scripts/testing/subject.ts"
import type { Batch, Columns, Connection, Frame, LogicalType, TableColumn } from "../contract/index.ts"
import { ColumnChecksums } from "./checksum.ts"
import { converted } from "./convert.ts"
import { newTable } from "./create-table.ts"
import { mapColumns } from "./mapping.ts"
import { addSums, differences, limits, type TableSums } from "./table-sums.ts"
import { targetSums } from "./target-sums.ts"

const TYPES = [
  ...["boolean", "int16", "int32", "int64", "uint64", "float32", "float64", "decimal", "decimal(12,2)"],
  ...["decimal(38,10)", "string", "string(10)", "char(10)", "bytes", "bytes(4)", "date", "time", "time(3)"],
  ...["timestamp", "timestamp(0)", "timestamptz", "timestamptz(3)", "interval", "json", "uuid"],
]

/** Types whose values each database keeps in a form of its own. */
const COUNTED: Readonly<Record<SubjectName, readonly string[]>> = {
  postgres: ["interval", "json"],
  mysql: ["interval", "json"],
  sqlite: [],
}

/** A value of each kind that no generated row has by chance; all of one column have boolean's and int16's. */
const FORGED: Readonly<Record<string, string>> = {
  int32: "123456789",
  int64: "9007199254740993",
  uint64: "9007199254740993",
  float32: "0.125",
  float64: "0.30000000000000004",
  decimal: "1234.5",
  string: "forged",
  bytes: "\\x00ff01",
  date: "2024-02-29",
  time: "12:34:56",
  timestamp: "2024-02-29 12:34:56",
  uuid: "123e4567-e89b-12d3-a456-426614174000",
  interval: "12:34:56",
  json: '{"forged":true}',
}

const text = { kind: "string" } as const
const number = { kind: "int32" } as const
const decimal = { kind: "decimal" } as const

type Declared = Readonly<Record<string, readonly [declared: string, type: LogicalType, value: string | number]>>

/** Columns as people declare them, with a value that the database does not print as it was written. */
const DECLARED: Readonly<
  Record<
    SubjectName,
    { readonly before: readonly string[]; readonly columns: Declared; readonly counted: readonly string[] }
  >
> = {
  postgres: {
    before: ["CREATE DOMAIN amount AS numeric(10,3) CHECK (value > 0)", "CREATE DOMAIN label AS char(8)"],
    columns: {
      blank: ["bpchar", text, "a  "],
      fixed: ["char(6)", text, "a  "],
      padded: ["label", text, "b "],
      varying: ["varchar(6)", text, "a  "],
      short: ["name", text, "a"],
      plain: ["json", { kind: "json" }, '{"b":1, "a":1.0}'],
      binary: ["jsonb", { kind: "json" }, '{"b":1, "a":1.0}'],
      amount: ["amount", decimal, "1.5"],
      hundreds: ["numeric(5,-2)", decimal, "1200"],
      open: ["numeric", decimal, "100.500"],
      object: ["oid", { kind: "int64" }, 7],
      moment: ["timestamptz(3)", { kind: "timestamp", zone: true }, "2024-02-29 12:00:00.120+00"],
    },
    counted: ["binary"],
  },
  mysql: {
    before: [],
    columns: {
      filled: ["int(8) zerofill", number, 42],
      money: ["decimal(8,2) zerofill", decimal, "1.5"],
      whole: ["decimal(8,0)", decimal, "100"],
      born: ["year", number, 0],
      flag: ["bit(1)", { kind: "boolean" }, "true"],
      bits: ["bit(64)", { kind: "uint64" }, "18446744073709551615"],
      small: ["tinyint(1)", { kind: "boolean" }, "true"],
      latin: ["varchar(10) CHARACTER SET latin1", text, "déjà  "],
      wide: ["varchar(10) CHARACTER SET utf16", text, "日本😀"],
      fixed: ["char(6)", text, "a  "],
      state: ["enum('new','old')", text, "old"],
      states: ["set('a','b')", text, "b,a"],
      late: ["time", { kind: "time" }, "12:30:00"],
      later: ["time(3)", { kind: "interval" }, "-100:30:00.5"],
      precise: ["datetime(6)", { kind: "timestamp", zone: false }, "2024-02-29 12:00:00"],
      moment: ["timestamp(3) NULL", { kind: "timestamp", zone: true }, "2024-02-29 12:00:00.120+00"],
      plain: ["float", { kind: "float32" }, "0.1"],
      key: ["uuid", { kind: "uuid" }, "123e4567-e89b-12d3-a456-426614174000"],
      address: ["inet6", text, "0:0::1"],
      document: ["json", { kind: "json" }, '{"b":1, "a":1.0}'],
    },
    counted: ["states", "address", "document"],
  },
  sqlite: {
    before: [],
    columns: {
      money: ["DECIMAL(8,2)", decimal, "1.50"],
      kept: ["DECIMAL_TEXT(8,2)", decimal, "1.5"],
      fixed: ["CHAR(6)", text, "a  "],
      untyped: ["", text, "12"],
      real: ["REAL", { kind: "float64" }, "-0"],
      plain: ["JSON_TEXT", { kind: "json" }, '{"b":1, "a":1.0}'],
      number: ["JSON", { kind: "json" }, "1.0"],
      spell: ["DURATION_TEXT", { kind: "interval" }, "1:02:03.50"],
    },
    counted: ["number"],
  },
}

interface Loaded {
  readonly streamed: TableSums
  readonly rejected: number
  readonly adjusted: readonly string[]
  readonly columns: readonly TableColumn[]
}

async function generated(columns: readonly object[], options: { rows: number; seed?: number; nasty?: boolean }) {
  const session = testSession()
  const config = { seed: 1, splits: 1, nasty: false, ...options, columns } as Parameters<typeof rowsInput.open>[0]
  const planned = await rowsInput.plan(config, {})
  const source = await rowsInput.open(config, { columns: planned.columns.map(({ name }) => name), parallel: 1 })
  const [split] = source.splits
  return { columns: planned.columns, rows: split === undefined ? nothing() : source.read(split, session) }
}

async function* nothing(): AsyncGenerator<Batch> {}

/** Loads rows into a table, which is made if it is missing, as an output does. */
async function load(
  subject: Subject,
  connection: Connection,
  table: string,
  input: { readonly columns: Columns; readonly rows: AsyncIterable<Batch | Frame> },
  options: Readonly<Record<string, unknown>> = {},
): Promise<Loaded> {
  const { dialect } = subject.database
  const name = { name: table }
  const consent = { allowLossy: true, mapping: "name", keyColumns: ["id"] } as const
  if ((await connection.describeTable(name)) === undefined)
    await connection.execute(newTable(name, input.columns, consent, dialect).statement)
  const info = (await connection.describeTable(name))!
  const { pairs } = mapColumns(input.columns, info.columns, consent)
  const session = testSession()
  const columns = pairs.map(({ to }) => to)
  const checksums = new ColumnChecksums(columns, dialect, session.batches)
  const rows = checksums.tap(converted(input.rows, { pairs, keyColumns: [] }, session), session)
  const request = { table: name, columns, mode: "append", keyColumns: [], options } as const
  await connection.begin()
  const { written } = await connection.load(request, rows, checksums.watch(session))
  await connection.commit()
  const streamed: TableSums = JSON.parse(JSON.stringify(checksums.result()))
  expect(streamed.rows).toBe(String(written))
  return { streamed, rejected: session.rejected.length, adjusted: [...session.adjustments.keys()], columns }
}

const missing = missingMysql()
if (missing !== undefined) console.error(`SKIPPED: checksum in MySQL. ${missing}`)

describe.each([
  ...SUBJECTS.map((id) => ({ id, name: id, server: undefined })),
  // It has no MD5, so that everything is read back.
  ...(missing === undefined ? [{ id: "mysql" as const, name: "MySQL", server: mysql }] : []),
])("checksum in $name", ({ id, server }) => {
  let subject: Subject
  let connection: Connection
  const sums = (table: string, columns: readonly TableColumn[], where?: string) => {
    const target = { dialect: subject.database.dialect, table: { name: table }, columns }
    return targetSums(connection, where === undefined ? target : { ...target, where }, testSession())
  }

  beforeAll(async () => {
    subject = await makeSubject(id, await server?.())
    connection = await subject.connect()
    return async () => await connection.close()
  })

  test.each(TYPES)(`checksum agrees with ${id} on nasty values of %s, whatever is rejected`, async (type) => {
    const table = `nasty_${type.replace(/\W+/g, "_")}`
    const columns = [
      { name: "id", type: "int64", sequence: true },
      { name: "v", type, nullShare: 0.1 },
    ]
    const input = await generated(columns, { rows: 1500, nasty: true })
    const loaded = await load(subject, connection, table, input)
    const target = await sums(table, loaded.columns)
    expect(differences(loaded.streamed, target)).toEqual([])
    const counted = limits(loaded.streamed, target).length
    expect(counted).toBe(COUNTED[id].includes(type) && !(id === "mysql" && type === "interval") ? 1 : 0)
    expect(Number(target.rows)).toBeGreaterThan(750)
    if (counted === 0) expect(BigInt(target.columns[1]!.sum!) > 0n).toBe(true)
  })

  const wide = [
    { name: "id", type: "int64", sequence: true },
    ...TYPES.map((type) => ({ name: type.replace(/\W+/g, "_"), type, nullShare: 0.1 })),
  ]

  test(`checksum names each column of ${id} in which one value is not what was written`, async () => {
    const { literal, quote } = subject.database.dialect
    const { streamed, columns } = await load(subject, connection, "wide", await generated(wide, { rows: 400 }))
    expect(differences(streamed, await sums("wide", columns))).toEqual([])
    for (const column of columns) {
      const name = quote(column.name)
      const [[row, value]] = (await connection.query(
        `SELECT id, ${name} FROM ${quote("wide")} WHERE ${name} IS NOT NULL ORDER BY id LIMIT 1`,
      )) as [[string, string]]
      const isCounted = streamed.columns.find((sum) => sum.column === column.name)?.sum === undefined
      const forged = isCounted ? "NULL" : literal(forgery(column, value), column)
      await connection.begin()
      await connection.execute(`UPDATE ${quote("wide")} SET ${name} = ${forged} WHERE id = ${row}`)
      const found = differences(streamed, await sums("wide", columns))
      await connection.rollback()
      expect(found.map((line) => /"(.+?)"/.exec(line)?.[1])).toEqual([column.name])
    }
    const [[last]] = (await connection.query(`SELECT MAX(id) FROM ${quote("wide")}`)) as [[string]]
    await connection.execute(`DELETE FROM ${quote("wide")} WHERE id = ${last}`)
    expect(differences(streamed, await sums("wide", columns))[0]).toBe(
      `${streamed.rows} rows were written, the table holds ${Number(streamed.rows) - 1}`,
    )
  })

  test(`checksum of rows appended to ${id} is the difference that they make, over several loads`, async () => {
    await load(subject, connection, "more", await generated(wide, { rows: 150, seed: 7 }))
    const info = (await connection.describeTable({ name: "more" }))!
    const before = await sums("more", info.columns)
    // Half of them collide with the keys that are there.
    const first = await load(subject, connection, "more", await generated(wide, { rows: 300 }))
    const second = await load(subject, connection, "more", await generated(wide, { rows: 310, seed: 3 }))
    expect([first.rejected >= 100, second.rejected > first.rejected]).toEqual([true, true])
    const streamed = addSums(first.streamed, second.streamed)
    expect(differences(streamed, await sums("more", info.columns), before)).toEqual([])
    const low = await sums("more", info.columns, "id <= 70")
    const high = await sums("more", info.columns, "id > 70 -- the rest")
    expect(differences(streamed, addSums(low, high), before)).toEqual([])
    expect(differences(first.streamed, await sums("more", info.columns), before)[0]).toBe(
      `${first.streamed.rows} rows were written, the table has gained ${streamed.rows}`,
    )
  })

  test(`checksum of a table of ${id} without rows, or without values, is zero`, async () => {
    const { columns } = await load(subject, connection, "none", await generated(wide, { rows: 0 }))
    const { rows, columns: found } = await sums("none", columns)
    expect(rows).toBe("0")
    expect(found.every(({ values, sum }) => values === "0" && (sum ?? "0") === "0")).toBe(true)
  })
})

describe("checksum of declared types", () => {
  test.each(Object.entries(DECLARED))(
    "checksum agrees with %s whatever the columns are declared as",
    async (id, declared) => {
      const subject = await makeSubject(id as SubjectName)
      await using connection = await subject.connect()
      const { database } = subject
      for (const sql of declared.before) await connection.execute(sql)
      const names = Object.keys(declared.columns)
      const list = names.map((name) => `${database.dialect.quote(name)} ${declared.columns[name]![0]}`)
      await connection.execute(`CREATE TABLE declared (${list.join(", ")})`)
      const input: Columns = names.map((name) => ({ name, type: declared.columns[name]![1], nullable: true }))
      const values = names.map((name) => declared.columns[name]![2])
      const batches = testSession().batches
      const rows = (async function* () {
        const row = Object.fromEntries(names.map((name, i) => [name, values[i]!]))
        yield batches.fromRows(input, [row, Object.fromEntries(names.map((name) => [name, null]))])
      })()
      const { streamed, rejected, columns } = await load(subject, connection, "declared", { columns: input, rows })
      expect(rejected).toBe(0)
      const target = await targetSums(
        connection,
        { dialect: database.dialect, table: { name: "declared" }, columns },
        testSession(),
      )
      expect(differences(streamed, target)).toEqual([])
      const counted = target.columns.filter(({ sum }) => sum === undefined).map(({ column }) => column)
      expect(counted).toEqual([...declared.counted])
    },
  )

  test("checksum of a column that was changed by a policy is not compared, and the receipt says so", async () => {
    const subject = await makeSubject("mysql")
    await using connection = await subject.connect()
    const rows = await generated(
      [
        { name: "id", type: "int64", sequence: true },
        { name: "v", type: "float64", nullShare: 0.1 },
      ],
      { rows: 1000, nasty: true },
    )
    const { streamed, adjusted, columns } = await load(subject, connection, "policy", rows, { unrepresentable: "null" })
    expect(adjusted).toContain("unrepresentable/v")
    const target = await targetSums(
      connection,
      { dialect: subject.database.dialect, table: { name: "policy" }, columns },
      testSession(),
    )
    expect(differences(streamed, target)).toEqual([])
    expect(limits(streamed, target)).toEqual([
      'Column "v" is not compared: the policy unrepresentable has changed values',
    ])
  })

  test("checksum counts a column of which something cannot be read back, and compares the others", async () => {
    const subject = await makeSubject("sqlite")
    await using connection = await subject.connect()
    await connection.execute("CREATE TABLE odd (id INTEGER, n INTEGER, t TEXT)")
    await connection.execute("INSERT INTO odd VALUES (1, 'no number', 'x'), (2, 7, 'y')")
    const { columns } = (await connection.describeTable({ name: "odd" }))!
    const found = await targetSums(
      connection,
      { dialect: subject.database.dialect, table: { name: "odd" }, columns },
      testSession(),
    )
    expect(found.columns.map(({ values, sum, why }) => [values, sum === undefined, why])).toEqual([
      ["2", false, undefined],
      ["2", true, "the table holds values that cannot be read back"],
      ["2", false, undefined],
    ])
  })
})

/** Another value than this one, that fits as well. */
function forgery({ type }: TableColumn, value: string): string {
  if (type.kind === "boolean") return value === "true" || value === "1" ? "false" : "true"
  if (type.kind === "int16") return value === "1" ? "0" : "1"
  const forged = FORGED[type.kind]!
  if (type.kind === "bytes") return forged.slice(0, 2 + 2 * Math.min(type.length ?? 3, 3))
  return type.kind === "string" && type.length === 36 ? FORGED.uuid! : forged
}
