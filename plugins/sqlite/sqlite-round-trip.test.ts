import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Batch, Frame, Session } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import rowsInput from "../rows/rows-input.ts"
import sqlite from "./sqlite.ts"

const types =
  "boolean int16 int32 int64 uint64 float32 float64 decimal decimal(12,2) decimal(30,10) string string(5) bytes bytes(4) date time time(3) timestamp timestamp(0) timestamptz timestamptz(3) interval json uuid".split(
    " ",
  )
const columns = types.map((type) => ({ name: type, type, nullShare: 0.1 }))
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

test.each([1, 2, 3])("sqlite gives back the hostile rows of seed %d as they were", async (seed) => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-sqlite-"))
  try {
    const session = testSession({ settings: { batchRows: 100 } })
    const config = { rows: 1500, seed, splits: 1, nasty: true, columns }
    const plan = await rowsInput.plan(config, {})
    const source = await rowsInput.open(config, { columns: types, parallel: 1 })
    const settings = { path: join(folder, "t.db"), readOnly: false, busyTimeoutMs: 0, createIfMissing: true }
    await using connection = await sqlite.connect(settings, session)
    const { quote, columnType } = sqlite.dialect
    const declared = plan.columns.map((column) => `${quote(column.name)} ${columnType(column, { key: false }).type}`)
    await connection.execute(`CREATE TABLE t (${declared.join(", ")})`)
    const info = await connection.describeTable({ name: "t" })
    expect(info!.columns.map(({ type }) => type)).toEqual(plan.columns.map(({ type }) => type))

    const sent: string[] = []
    const kept = async function* () {
      for await (const batch of source.read(source.splits[0]!, session)) {
        sent.push(...lines(batch, session))
        yield batch
      }
    }
    await connection.begin()
    const request = { table: { name: "t" }, columns: info!.columns, mode: "append", keyColumns: [] } as const
    const { written } = await connection.load({ ...request, options: { nan: "text" } }, kept(), session)
    await connection.commit()
    const read = { sql: "SELECT * FROM t ORDER BY rowid", columns: info!.columns, options: {} }
    const back: string[] = []
    for await (const batch of connection.read(read, session)) back.push(...lines(batch, session))

    expect(session.rejected).toEqual([])
    expect(written).toBe(sent.length)
    expect(back).toEqual(sent)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function lines(batch: Batch | Frame, { batches }: Session): string[] {
  if (batch.encoding !== undefined) throw new Error("no frame was asked for")
  const views = batch.vectors.map((vector) => batches.text(vector))
  return Array.from({ length: batch.rows }, (_, row) =>
    JSON.stringify(
      batch.vectors.map((vector, i) => {
        if (batches.isNull(vector, row)) return null
        const bytes = new Uint8Array(views[i]!.size(row))
        const text = decoder.decode(bytes.subarray(0, views[i]!.write(row, bytes, 0)))
        // SQLite has one zero only.
        return text === "-0" && vector.storage.startsWith("float") ? "0" : text
      }),
    ),
  )
}
