import { expect, test } from "bun:test"
import type { Frame, LoadRequest, LogicalType, TableColumn } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { TAB_SEPARATED } from "../_sql/tab-separated.ts"
import { Chunk } from "./mysql-chunk.ts"
import { Forwarder, FrameWriter } from "./mysql-forward.ts"
import { batchesOf } from "./mysql-text.ts"

function column(name: string, type: LogicalType, nullable = true): TableColumn {
  return { name, type, nullable, generated: false, identity: false, hasDefault: false }
}

function frame(lines: readonly string[], firstRow: number): Frame {
  const data = new TextEncoder().encode(lines.join(""))
  return { encoding: TAB_SEPARATED, rows: lines.length, data, bytes: data.length, firstRow }
}

function textOf(chunk: Chunk): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(chunk.data.subarray(0, chunk.length))
}

/** The chunks that come of frames. */
function chunked(frames: readonly Frame[], bytes: number) {
  const chunks: { text: string; rows: number; firstRow: number }[] = []
  const chunk = new Chunk(bytes)
  const send = () => {
    chunks.push({ text: textOf(chunk), rows: chunk.rows, firstRow: chunk.firstRow })
    chunk.clear()
  }
  for (const each of frames) {
    const writer = new FrameWriter(each)
    while (!writer.fill(chunk)) send()
    if (chunk.full) send()
  }
  if (chunk.rows > 0) send()
  return chunks
}

test("mysql gathers small frames and cuts large ones, by bytes and by rows", () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `${i}\n`)
  for (const size of [10, 5000, 100_000]) {
    const frames = Array.from({ length: lines.length / size }, (_, i) =>
      frame(lines.slice(i * size, (i + 1) * size), i * size),
    )
    for (const bytes of [20_000, 10_000_000]) {
      const chunks = chunked(frames, bytes)
      expect(chunks.map(({ text }) => text).join("") === lines.join("")).toBe(true)
      let next = 0
      for (const { text, rows, firstRow } of chunks) {
        expect(firstRow).toBe(next)
        expect(text.split("\n")).toHaveLength(rows + 1)
        expect(rows).toBeLessThanOrEqual(32_768)
        expect(text.length).toBeLessThanOrEqual(bytes * 1.1)
        next += rows
      }
    }
  }
})

test("mysql takes a line that is larger than a chunk, and begins anew where rows are missing in between", () => {
  const large = `${"x".repeat(5000)}\n`
  expect(chunked([frame(["a\n", large, "b\n"], 0), frame(["c\n"], 3), frame(["d\n"], 9)], 1000)).toEqual([
    { text: "a\n", rows: 1, firstRow: 0 },
    { text: large, rows: 1, firstRow: 1 },
    { text: "b\nc\n", rows: 2, firstRow: 2 },
    { text: "d\n", rows: 1, firstRow: 9 },
  ])
})

const request: LoadRequest = {
  table: { name: "t" },
  columns: [column("id", { kind: "int32" }, false), column("f", { kind: "float64" }), column("k", { kind: "int32" })],
  mode: "append",
  keyColumns: [],
  options: {},
}

/** Which chunks were sent unread (u), which of those were taken back (x), and which were read (r). */
async function ways(chunks: readonly string[], at: LoadRequest = request): Promise<string> {
  let log = ""
  let bad = false
  const placer = {
    async placeUnread() {
      log += bad ? "x" : "u"
      return !bad
    },
    async place() {
      log += "r"
    },
  }
  const forwarder = new Forwarder(placer, at, testSession(), { bytes: 65_536, hasNegativeZeros: false })
  for (const text of chunks) {
    bad = text.startsWith("bad")
    const chunk = new Chunk(65_536)
    new FrameWriter(frame([text.replace("bad", "")], 0)).fill(chunk)
    await forwarder.place(chunk)
  }
  return log
}

const GOOD = "1\t1\t1\n"

test("mysql reads no chunk that the server takes, and more and more of them while it does not", async () => {
  expect(await ways([GOOD, GOOD, GOOD])).toBe("uuu")
  expect(await ways([GOOD, `bad${GOOD}`, GOOD, GOOD, `bad${GOOD}`, GOOD, GOOD, GOOD])).toBe("uxrruxrruu")
  expect(await ways(Array.from({ length: 9 }, () => `bad${GOOD}`))).toBe("xrrxrrrxrrrr")
})

test("mysql reads chunks that may hold a negative zero, or NULL in a key", async () => {
  expect(await ways(["1\t-0\t1\n", "1\t1\t-0\n", "1\t-0.5\t1\n", "1\t10\t-01\n"])).toBe("rruu")
  expect(await ways([GOOD], { ...request, mode: "updateRows", keyColumns: ["id"] })).toBe("u")
  expect(await ways([GOOD], { ...request, mode: "updateRows", keyColumns: ["id", "k"] })).toBe("r")
})

test("mysql reads forwarded text as the values that it stands for", () => {
  const columns = [
    column("b", { kind: "int16" }),
    column("raw", { kind: "bytes" }),
    column("tz", { kind: "timestamp", zone: true }),
    column("f", { kind: "float64" }),
    column("x", { kind: "string", length: 40 }),
  ]
  const session = testSession()
  const chunk = new Chunk(65_536)
  const lines = [
    "1\t000aff\t2024-02-29 12:00:00.5\t1e+300\ta\\tb\\nc\\\\d\\re\\bf\v\f\\\\N\n",
    "\\N\t\\N\t\\N\t\\N\t\\N\n",
    "0\t\tinfinity\tNaN\t\n",
    "1\t00\t294276-12-31 23:59:59\t1\tx\n",
    "1\t00\t0044-03-15 12:00:00 BC\t-Infinity\t\\\\\\\\\n",
  ]
  new FrameWriter(frame(lines, 70)).fill(chunk)
  const [batch, ...more] = [...batchesOf(chunk, { ...request, columns }, session)]
  expect(more).toEqual([])
  const { batches } = session
  const rows = Array.from({ length: batch!.rows }, (_, row) => [
    batches.position(batch!, row),
    ...Object.values(batches.record(batch!, row)),
  ])
  expect(rows).toEqual([
    [70, "1", "\\x000aff", "2024-02-29 12:00:00.5+00", "1e+300", "a\tb\nc\\d\re\bf\v\f\\N"],
    [71, null, null, null, null, null],
    [72, "0", "\\x", "infinity", "NaN", ""],
    [74, "1", "\\x00", "0044-03-15 12:00:00+00 BC", "-Infinity", "\\\\"],
  ])
  expect(session.rejected).toEqual([
    { row: 73, column: "tz", value: "294276-12-31 23:59:59", reason: "The value does not fit the type timestamp" },
  ])
})

test("mysql rejects of forwarded text what the host rejects of batches", () => {
  const columns = [
    column("id", { kind: "int32" }, false),
    column("k", { kind: "int32" }),
    column("v", { kind: "string", length: 2 }),
  ]
  const session = testSession()
  const chunk = new Chunk(65_536)
  new FrameWriter(
    frame(["1\t1\téé\n", "\\N\t1\tab\n", "3\t\\N\tab\n", "4\t1\tabc\n", "\\N\t\\N\tabc\n", "6\t6\t\\N\n"], 5),
  ).fill(chunk)
  const read = [...batchesOf(chunk, { ...request, columns, mode: "overwriteRows", keyColumns: ["k"] }, session)]
  expect(read.map(({ rows, positions }) => [rows, [...(positions ?? [])]])).toEqual([[2, [5, 10]]])
  expect(session.rejected).toEqual([
    {
      row: 8,
      column: "v",
      value: "abc",
      reason: 'The value does not fit string of column "v"',
      record: { id: "4", k: "1", v: "abc" },
    },
    {
      row: 9,
      column: "v",
      value: "abc",
      reason: 'The value does not fit string of column "v"',
      record: { id: null, k: null, v: "abc" },
    },
    {
      row: 6,
      column: "id",
      value: null,
      reason: 'NULL is not allowed in column "id"',
      record: { id: null, k: "1", v: "ab" },
    },
    {
      row: 7,
      column: "k",
      value: null,
      reason: 'NULL is not allowed in key column "k"',
      record: { id: "3", k: null, v: "ab" },
    },
  ])
})
