import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sqlite from "../../plugins/sqlite/sqlite.ts"
import { testSession } from "../../scripts/testing/session.ts"
import type { Column } from "../contract/index.ts"
import { failure } from "../host/failure.ts"
import { selectSql } from "./source-sql.ts"
import { rangeParts } from "./splits.ts"

const folder = mkdtempSync(join(tmpdir(), "splits-"))
afterAll(() => rmSync(folder, { recursive: true }))

const session = testSession()
const connection = await sqlite.connect(
  { path: join(folder, "splits.db"), readOnly: false, busyTimeoutMs: 1000, createIfMissing: true },
  session,
)
const { dialect } = sqlite

/** Numbers that look random and are the same every time. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 4_294_967_296
  }
}

let tables = 0
/** A table of these keys, `null` for NULL, and the column that is described for it. */
async function tableOf(type: string, keys: readonly (string | null)[]): Promise<{ table: string; column: Column }> {
  const table = `t${++tables}`
  await connection.execute(`CREATE TABLE ${table} (n INT8 NOT NULL, "k e""y" ${type})`)
  for (let at = 0; at < keys.length; at += 500) {
    const rows = keys.slice(at, at + 500).map((key, i) => `(${at + i}, ${key === null ? "NULL" : key})`)
    await connection.execute(`INSERT INTO ${table} VALUES ${rows.join(", ")}`)
  }
  const info = await connection.describeTable({ name: table })
  return { table, column: info!.columns[1]! }
}

/** The row numbers of every part. */
async function partsOf(table: string, column: Column, wanted: number, estimate?: number, where?: string) {
  const selection = { table: { name: table }, conditions: where === undefined ? [] : [where] }
  const parts = await rangeParts(connection, dialect, selection, column, wanted, estimate, session)
  const rows: number[][] = []
  const n: Column = { name: "n", type: { kind: "int64" }, nullable: false }
  for (const part of parts) {
    const conditions = [...selection.conditions, ...(part.condition === undefined ? [] : [part.condition])]
    rows.push((await connection.query(selectSql({ ...selection, conditions }, [n], dialect))).map(([id]) => Number(id)))
  }
  return { parts, rows }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

const random = dice(7)
const digits = (count: number) => Array.from({ length: count }, () => Math.floor(random() * 10)).join("")
const hex = (count: number) => Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join("")
const letters = "aAzZ0 éß漢😀'\"\\%;-"
const makers: Readonly<Record<string, readonly [type: string, make: () => string]>> = {
  integer: [
    "INT8",
    () => `${random() < 0.5 ? "-" : ""}${1 + Math.floor(random() * 9)}${digits(Math.floor(random() * 17))}`,
  ],
  decimal: [
    "DECIMAL(12,2)",
    () => `${random() < 0.5 ? "-" : ""}${1 + Math.floor(random() * 9)}${digits(6)}.${digits(2)}`,
  ],
  float: ["DOUBLE", () => String((random() - 0.5) * 10 ** Math.floor(random() * 30 - 15))],
  text: [
    "TEXT",
    () => {
      const points = [...letters]
      const length = Math.floor(random() * 8)
      return quoted(Array.from({ length }, () => points[Math.floor(random() * points.length)]).join(""))
    },
  ],
  date: [
    "DATE",
    () =>
      `'${1000 + Math.floor(random() * 9000)}-${String(1 + Math.floor(random() * 12)).padStart(2, "0")}-1${digits(1)}'`,
  ],
  uuid: ["UUID", () => `'${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}'`],
}

for (const [kind, [type, make]] of Object.entries(makers)) {
  for (const nullable of [false, true]) {
    test(`splits by ${kind}${nullable ? " with NULLs" : ""} are disjoint and complete`, async () => {
      const keys = Array.from({ length: 700 }, () => (nullable && random() < 0.1 ? null : make()))
      const { table, column } = await tableOf(nullable ? type : `${type} NOT NULL`, keys)
      expect(column.nullable).toBe(nullable)
      for (const wanted of [2, 3, 7, 16]) {
        for (const estimate of [undefined, 700, 100_000]) {
          const { parts, rows } = await partsOf(table, column, wanted, estimate)
          expect(rows.flat().toSorted((a, b) => a - b)).toEqual(Array.from(keys.keys()))
          expect(parts.length).toBeLessThanOrEqual(wanted)
          // All rows with NULL are in the first part.
          const nulls = keys.flatMap((key, i) => (key === null ? [i] : []))
          expect(rows[0]).toEqual(expect.arrayContaining(nulls))
        }
      }
    })
  }
}

test("splits are of about one size, whatever the skew", async () => {
  const keys = Array.from({ length: 4000 }, () => String(Math.floor(random() ** 8 * 1e12)))
  const { table, column } = await tableOf("INT8 NOT NULL", keys)
  const { rows } = await partsOf(table, column, 8)
  expect(rows.length).toBe(8)
  for (const part of rows) expect(Math.abs(part.length - 500)).toBeLessThan(60)
})

test("splits by few distinct keys are fewer", async () => {
  const few = await tableOf(
    "INT8 NOT NULL",
    Array.from({ length: 300 }, (_, i) => String(i % 3)),
  )
  for (const estimate of [undefined, 300]) {
    const { parts, rows } = await partsOf(few.table, few.column, 10, estimate)
    expect(parts.length).toBeLessThanOrEqual(4)
    expect(rows.flat().length).toBe(300)
  }
  const one = await tableOf(
    "INT8",
    Array.from({ length: 100 }, () => "5"),
  )
  const same = await partsOf(one.table, one.column, 4, 100)
  expect(same.parts).toEqual([{ label: "all rows" }])
  const none = await tableOf("INT8", [])
  expect((await partsOf(none.table, none.column, 4)).parts).toEqual([{ label: "all rows" }])
  const nulls = await tableOf("INT8", [null, null])
  expect((await partsOf(nulls.table, nulls.column, 4)).rows).toEqual([[0, 1]])
})

test("splits keep the conditions of the selection", async () => {
  const { table, column } = await tableOf(
    "INT8",
    Array.from({ length: 500 }, (_, i) => (i % 5 === 0 ? null : String(i))),
  )
  const { rows } = await partsOf(table, column, 4, undefined, "n >= 100 -- half a comment")
  expect(rows.length).toBe(4)
  expect(rows.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i + 100))
})

test("splits are labelled by their ranges, long keys shortened", async () => {
  const { table, column } = await tableOf(
    "TEXT NOT NULL",
    Array.from({ length: 100 }, (_, i) => quoted(String(i).padStart(60, "0"))),
  )
  const { parts } = await partsOf(table, column, 2)
  expect(parts.map(({ label }) => label)).toEqual([`k e"y < ${"0".repeat(40)}…`, `${"0".repeat(40)}… <= k e"y`])
  const numbers = await tableOf(
    "INT8 NOT NULL",
    Array.from({ length: 9 }, (_, i) => String(i)),
  )
  const labels = (await partsOf(numbers.table, numbers.column, 3)).parts.map(({ label }) => label)
  expect(labels).toEqual(['k e"y < 3', '3 <= k e"y < 6', '6 <= k e"y'])
})

test("splits are one where the database cannot number rows, but not where the connection is lost", async () => {
  const { table, column } = await tableOf("INT8", ["1", "2", "3"])
  const failing = (reason: "connection" | "unsupported") =>
    Object.assign(Object.create(connection) as typeof connection, {
      query: () => Promise.reject(failure(reason, "Cannot run it")),
    })
  const selection = { table: { name: table }, conditions: [] }
  const cut = (reason: "connection" | "unsupported") =>
    rangeParts(failing(reason), dialect, selection, column, 3, undefined, session)
  expect(await cut("unsupported")).toEqual([{ label: "all rows" }])
  expect(session.warnings.at(-1)).toContain("Cannot divide by column")
  await expect(cut("connection")).rejects.toThrow("Cannot run it")
})
