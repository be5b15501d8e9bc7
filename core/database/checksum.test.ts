import { expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { testSession } from "../../scripts/testing/session.ts"
import type { Batch, Dialect, Frame, LogicalType, RejectedRow, TableColumn } from "../contract/index.ts"
import { ColumnChecksums, checksumOf } from "./checksum.ts"
import { addSums, differences, limits, readSums } from "./table-sums.ts"

function column(name: string, type: LogicalType): TableColumn {
  return { name, type, nullable: true, generated: false, identity: false, hasDefault: false }
}

/** What a stranger's database says of checksums: nothing. */
const dialect = {} as Dialect
const columns = [column("id", { kind: "int32" }), column("v", { kind: "string" }), column("doc", { kind: "json" })]
const session = testSession()
const rows = [
  { id: 1, v: "a", doc: "{}" },
  { id: 2, v: null, doc: "[]" },
  { id: 3, v: "a", doc: null },
]

function sums(some: readonly (typeof rows)[number][]) {
  const checksums = new ColumnChecksums(columns, dialect, session.batches)
  checksums.add(session.batches.fromRows(columns, some))
  return checksums
}

function hashed(...texts: readonly string[]): string {
  return String(
    texts.reduce((sum, text) => sum + BigInt(`0x${createHash("md5").update(text).digest("hex").slice(0, 8)}`), 0n),
  )
}

test("checksum is the sum of the first 32 bits of each value's MD5, NULL apart", () => {
  expect(sums(rows).result()).toEqual({
    rows: "3",
    columns: [
      { column: "id", values: "3", sum: hashed("1", "2", "3") },
      { column: "v", values: "2", sum: hashed("a", "a") },
      { column: "doc", values: "2", why: "a value of json may be kept in a form of the database's own" },
    ],
  })
})

test("checksum does not depend on the order of rows, on batches or on splits", () => {
  const whole = sums(rows).result()
  expect(sums([rows[2]!, rows[0]!, rows[1]!]).result()).toEqual(whole)
  const parts = addSums(sums([rows[1]!]).result(), sums([]).result(), sums([rows[2]!, rows[0]!]).result())
  expect(readSums(JSON.parse(JSON.stringify(parts)))).toEqual(whole)
})

test("checksum takes rejected rows back by their record", () => {
  const checksums = sums(rows)
  const at = testSession()
  const row: RejectedRow = { row: 0, reason: "no", record: { id: "1", v: "a", doc: "{}" } }
  checksums.watch(at).reject(row)
  expect(checksums.result()).toEqual(sums(rows.slice(1)).result())
  expect(at.rejected).toEqual([row])
})

test("checksum compares no column of which a rejected value is unknown", () => {
  const checksums = sums(rows)
  checksums.remove({ id: "one", v: "a", doc: "{}" })
  const rest = sums(rows.slice(1)).result()
  expect(limits(checksums.result(), rest)).toEqual([
    'Column "id" is not compared: a rejected value could not be read again',
    'Column "doc" is only counted: a value of json may be kept in a form of the database\'s own',
  ])
  expect(differences(checksums.result(), rest)).toEqual([])
  checksums.watch(testSession()).reject({ row: 1, reason: "no" })
  const { rows: left, columns: lost } = checksums.result()
  expect(left).toBe("1")
  expect(lost.map(({ values }) => values)).toEqual([undefined, undefined, undefined])
})

test("checksum leaves out a column that a policy has changed, unless zero has only lost its sign", () => {
  const checksums = sums(rows)
  const at = testSession()
  checksums.watch(at).adjusted("negativeZero", "id", 1)
  checksums.watch(at).adjusted("nulCharacters", "v", 2)
  expect(checksums.result().columns.map(({ sum }) => sum === undefined)).toEqual([false, true, true])
  expect([...at.adjustments.keys()]).toEqual(["negativeZero/id", "nulCharacters/v"])
})

test("checksum of rows that nobody has read cannot be taken", async () => {
  const frame: Frame = { encoding: "wire", rows: 1, data: new Uint8Array(1), bytes: 1, firstRow: 0 }
  const source = async function* (): AsyncGenerator<Batch | Frame> {
    yield frame
  }
  await expect(sums([]).tap(source(), session).next()).rejects.toThrow('Cannot add up rows in the encoding "wire"')
})

test("checksum differences name the column and both figures", () => {
  const written = sums(rows).result()
  const other = sums([rows[0]!, rows[1]!, { ...rows[2]!, v: "b" }]).result()
  expect(differences(written, written)).toEqual([])
  expect(differences(written, other)).toEqual([
    `Column "v": 2 values with checksum ${hashed("a", "a")} were written, the table holds 2 with checksum ${hashed("a", "b")}`,
  ])
  const before = sums(rows.slice(0, 2)).result()
  expect(differences(sums([rows[2]!]).result(), written, before)).toEqual([])
  expect(differences(sums([]).result(), sums([{ id: 9, v: null, doc: "1" }]).result())).toEqual([
    "0 rows were written, the table holds 1",
    `Column "id": 0 values with checksum 0 were written, the table holds 1 with checksum ${hashed("9")}`,
    'Column "doc": 0 values were written, the table holds 1',
  ])
})

test("checksum of a column that was not there before is not compared", () => {
  const written = sums([rows[0]!]).result()
  const before = { rows: "0", columns: written.columns.filter(({ column: name }) => name !== "v") }
  expect(limits(written, written, before)[0]).toBe('Column "v" is not compared: it was not there all the time')
})

test("checksums that were kept are refused when they are none", () => {
  for (const kept of [undefined, null, {}, { rows: 1, columns: [] }, { rows: "1" }, { rows: "1", columns: [null] }])
    expect(() => readSums(kept)).toThrow("Cannot read the checksums")
})

test("checksum of a database that says nothing is taken by reading, where values come back as they were", () => {
  const by = (type: LogicalType) => checksumOf(column("x", type), dialect).by
  expect([by({ kind: "float64" }), by({ kind: "string" }), by({ kind: "json" }), by({ kind: "interval" })]).toEqual([
    "reading",
    "reading",
    "count",
    "count",
  ])
})
