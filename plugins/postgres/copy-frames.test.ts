import { expect, test } from "bun:test"
import { Buffer } from "node:buffer"
import type { Frame } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { BinaryFrames, CsvFrames, TextFrames, withoutRareEscapes } from "./copy-frames.ts"

function messages(bodies: readonly string[]): Buffer {
  return Buffer.concat(
    bodies.map((body) => {
      const text = Buffer.from(body)
      const head = Buffer.alloc(5)
      head.write("d", 0)
      head.writeUInt32BE(text.length + 4, 1)
      return Buffer.concat([head, text])
    }),
  )
}

/** What becomes of the messages when so many of them come at a time; frames are recycled as a reader does it. */
function framed(frames: BinaryFrames | TextFrames | CsvFrames, bodies: readonly string[], atOnce: number) {
  const shipped: { data: Buffer; text: string; rows: number; firstRow: number }[] = []
  const ship = (frame: Frame) => {
    const data = Buffer.from(frame.data)
    shipped.push({ data, text: data.toString(), rows: frame.rows, firstRow: frame.firstRow })
    frames.recycle(frame)
  }
  for (let at = 0; at < bodies.length; at += atOnce) {
    const source = messages(["before", ...bodies.slice(at, at + atOnce), "behind"])
    frames.take(source, 11, source.length - 11, ship)
  }
  const rest = frames.rest()
  if (rest !== undefined) ship(rest)
  return shipped
}

const LINES = Array.from({ length: 30_000 }, (_, i) => `${i}\t${"é".repeat(i % 50)}\\N\n`)

test.each([1, 7, 5000, 30_000])("postgres strips the headers of text that comes %d lines at a time", (atOnce) => {
  const frames = framed(new TextFrames(), LINES, atOnce)
  expect(frames.map(({ text }) => text).join("")).toBe(LINES.join(""))
  expect(frames.reduce((sum, { rows }) => sum + rows, 0)).toBe(LINES.length)
  let next = 0
  for (const { text, rows, firstRow } of frames) {
    expect(firstRow).toBe(next)
    expect(text.split("\n")).toHaveLength(rows + 1)
    expect(rows).toBeLessThanOrEqual(8192)
    next += rows
  }
})

test("postgres takes lines that are larger than a frame", () => {
  const lines = [
    "a\n",
    `${"x".repeat(300_000)}\n`,
    "b\n",
    `${"y".repeat(600_000)}\n`,
    `${"z".repeat(262_130)}\n`,
    "c\n",
  ]
  for (const atOnce of [1, 2, 6]) {
    const frames = framed(new TextFrames(), lines, atOnce)
    expect(frames.map(({ text }) => text).join("") === lines.join("")).toBe(true)
    expect(frames.map(({ rows }) => rows).reduce((a, b) => a + b)).toBe(6)
  }
})

test.each([1, 3000, 20_000])("postgres puts tuples that come %d at a time into larger messages", (atOnce) => {
  const tuples = [...LINES.slice(0, 20_000), "x".repeat(300_000), "the last one"]
  const frames = new BinaryFrames()
  const first = Buffer.from("(signature)the first one")
  frames.first(first, 11, first.length)
  const shipped = framed(frames, tuples, atOnce)
  const parts = shipped.flatMap(({ data }) => messagesIn(data))
  expect(parts.join("") === ["the first one", ...tuples].join("")).toBe(true)
  expect(parts.length).toBeLessThan(60)
  expect(shipped.reduce((sum, { rows }) => sum + rows, 0)).toBe(tuples.length + 1)
})

/** What stands in the messages, of which there may be no half. */
function messagesIn(data: Buffer): string[] {
  const found: string[] = []
  for (let at = 0; at < data.length; ) {
    const end = at + 1 + data.readUInt32BE(at + 1)
    expect(data[at]).toBe(0x64)
    expect(end).toBeLessThanOrEqual(data.length)
    found.push(data.toString("utf8", at + 5, end))
    at = end
  }
  return found
}

test.each([
  ["nothing\there\\N\n", "nothing\there\\N\n"],
  ["\\f", "\f"],
  ["\\v\t\\v\n", "\v\t\v\n"],
  ["\\\\f\\\\v\n", "\\\\f\\\\v\n"],
  ["\\\\\\f\t\\\\\\\\v\n", "\\\\\f\t\\\\\\\\v\n"],
  ["\\f\\n\\t\\b\\r\\N\\\\\\v\n", "\f\\n\\t\\b\\r\\N\\\\\v\n"],
  ["f\\fv\\v😀\\f\n", "f\fv\v😀\f\n"],
])("postgres writes form feed and vertical tab themselves: %j", (copied, meant) => {
  const data = new Uint8Array([...Buffer.from(copied), ...Buffer.from("\\f")])
  const length = withoutRareEscapes(data, data.length - 2)
  expect(Buffer.from(data.subarray(0, length)).toString()).toBe(meant)
})

test.each([1, 999, 30_000])(
  "postgres mends records that come %d at a time, and tells rows by their place",
  (atOnce) => {
    const columns = [
      { name: "f", type: { kind: "float64" }, nullable: true },
      { name: "t", type: { kind: "string" }, nullable: true },
      { name: "ts", type: { kind: "timestamp", zone: false }, nullable: true },
    ] as const
    const late = "294276-12-31 23:59:59.999999"
    const records = LINES.map((_, i) =>
      i % 10_000 === 9
        ? `1e-05,"say ""x"",\n1e+20,",${late}\n`
        : i % 7_000 === 6
          ? `-1e+20,\ufeffx,\n`
          : `${i}.5,1e+20,\n`,
    )
    records.splice(20_000, 0, `,"${"y\n".repeat(200_000)}",\n`)
    const session = testSession()
    const frames = framed(new CsvFrames(columns, session), records, atOnce)
    const expected = records
      .filter((record) => !record.includes(late))
      .map((record) => record.replace("-1e+20,\ufeffx", '-100000000000000000000,"\ufeffx"'))
    expect(frames.map(({ text }) => text).join("") === expected.join("")).toBe(true)
    expect(frames.reduce((sum, { rows }) => sum + rows, 0)).toBe(expected.length)
    expect(session.rejected).toMatchObject([9, 10_009, 20_010].map((row) => ({ row, column: "ts", value: late })))
  },
)
