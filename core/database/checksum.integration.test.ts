import { beforeAll, describe, expect, test } from "bun:test"
import rowsInput from "../../plugins/rows/rows-input.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { makeSubject, SUBJECTS, type Subject, type SubjectName } from "../../scripts/testing/subject.ts"
import type { Batch, Columns, Connection, Frame, TableColumn } from "../contract/index.ts"
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

/** A value of each kind that no generated row has by chance. */
const FORGED: Readonly<Record<string, string>> = {
  int16: "12345",
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

interface Loaded {
  readonly streamed: TableSums
  readonly rejected: number
  readonly adjusted: readonly string[]
  readonly columns: readonly TableColumn[]
}

async function generated(columns: readonly object[], options: { rows: number; seed?: number; nasty?: boolean }) {
  const session = testSession()
  const config = { seed: 1, splits: 1, nasty: false, ...options, columns } as Parameters<typeof rowsInput.open>[0]
  const planned = await rowsInput.plan(config, {}, session)
  const source = await rowsInput.open(
    config,
    { columns: planned.columns.map(({ name }) => name), parallel: 1 },
    session,
  )
  return { columns: planned.columns, rows: source.read(source.splits[0]!, session) }
}

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

describe.each(SUBJECTS)("checksum in %s", (id) => {
  let subject: Subject
  let connection: Connection
  const sums = (table: string, columns: readonly TableColumn[], where?: string) => {
    const target = { dialect: subject.database.dialect, table: { name: table }, columns }
    return targetSums(connection, where === undefined ? target : { ...target, where }, testSession())
  }

  beforeAll(async () => {
    subject = await makeSubject(id)
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
})
