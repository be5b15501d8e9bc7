import { afterEach, expect, type Mock, spyOn, test } from "bun:test"
import type { Batch, Columns, Frame, Row } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import consoleOutput, { type ConsoleConfig } from "./console-output.ts"
import discardOutput from "./discard-output.ts"

const columns: Columns = [
  { name: "id", type: { kind: "int64" }, nullable: false },
  { name: "text", type: { kind: "string" }, nullable: true },
]
const split = { id: "s", attempt: 1, note: () => "" }

let log: Mock<typeof console.log> | undefined
afterEach(() => log?.mockRestore())

async function* stream<T>(...items: T[]) {
  yield* items
}

async function printed(config: Partial<ConsoleConfig>, shape: Columns, ...batches: Row[][]) {
  const session = testSession()
  const lines: string[] = []
  log = spyOn(console, "log").mockImplementation((text: string) => void lines.push(text))
  const sink = await consoleOutput.open(
    { format: "table", maxCharacters: 60, ...config },
    { input: shape, splits: 1, step: "out" },
  )
  const receipt = await sink.write(
    split,
    stream(...batches.map((rows) => session.batches.fromRows(shape, rows))),
    session,
  )
  return { text: lines.join("\n"), receipt }
}

test("console-output prints an aligned table", async () => {
  const rows = [
    { id: 1n, text: "a" },
    { id: 1000n, text: null },
    { id: 3n, text: "日本 😀" },
  ]
  const { text, receipt } = await printed({}, columns, rows, [{ id: 4n, text: "b" }])
  expect(text.split("\n")).toEqual([
    "  id | text",
    "-----+--------",
    "   1 | a",
    "1000 | NULL",
    "   3 | 日本 😀",
    "   4 | b",
  ])
  expect(receipt).toEqual({ written: 4, guarantee: "at-least-once" })
})

test("console-output lets no value draw outside its cell", async () => {
  const { text } = await printed({ maxCharacters: 8 }, columns, [
    { id: 1n, text: "a\nb\u001b[2J" },
    { id: 2n, text: "x".repeat(99) },
  ])
  expect(text.split("\n").slice(2)).toEqual([" 1 | a\\nb\\u001b[2J", " 2 | xxxxxxx…"])
})

test("console-output prints some rows and counts the others", async () => {
  const { text, receipt } = await printed(
    { maxRows: 1 },
    columns,
    [
      { id: 1n, text: "a" },
      { id: 2n, text: "b" },
    ],
    [{ id: 3n, text: "c" }],
  )
  expect(text).toBe("id | text\n---+-----\n 1 | a\n… and 2 more rows")
  expect(receipt.written).toBe(3)
})

test("console-output prints JSON lines in which every digit stays", async () => {
  const shape: Columns = [
    ...columns,
    { name: "d", type: { kind: "decimal" }, nullable: true },
    { name: "f", type: { kind: "float64" }, nullable: true },
    { name: "j", type: { kind: "json" }, nullable: true },
    { name: "b", type: { kind: "bytes" }, nullable: true },
    { name: "o", type: { kind: "boolean" }, nullable: true },
  ]
  const { text } = await printed({ format: "json" }, shape, [
    {
      id: 9223372036854775807n,
      text: 'a"\n',
      d: "1.10",
      f: Number.NaN,
      j: '{"x":\n1.10}',
      b: new Uint8Array([255]),
      o: true,
    },
    { id: 1n },
  ])
  expect(text.split("\n")).toEqual([
    '{"id":9223372036854775807,"text":"a\\"\\n","d":1.10,"f":"NaN","j":{"x": 1.10},"b":"\\\\xff","o":true}',
    '{"id":1,"text":null,"d":null,"f":null,"j":null,"b":null,"o":null}',
  ])
})

test("console-output refuses frames, which it never asked for", async () => {
  const frame: Frame = { encoding: "csv", rows: 1, data: new Uint8Array(2), bytes: 2, firstRow: 0 }
  const sink = await consoleOutput.open(
    { format: "json", maxCharacters: 60 },
    { input: columns, splits: 1, step: "out" },
  )
  await expect(sink.write(split, stream(frame), testSession())).rejects.toMatchObject({ reason: "protocol" })
})

test("discard-output counts the rows of batches and frames", async () => {
  const session = testSession()
  const batch = session.batches.fromRows(columns, [{ id: 1n }, { id: 2n }])
  const frame: Frame = { encoding: "csv", rows: 40, data: new Uint8Array(2), bytes: 2, firstRow: 0 }
  const plan = await discardOutput.plan({}, columns)
  expect(plan).toMatchObject({ uses: ["id", "text"], encodings: ["postgres-copy-binary", "csv"] })
  const sink = await discardOutput.open()
  expect(await sink.write(split, stream<Batch | Frame>(batch, frame), session)).toEqual({
    written: 42,
    guarantee: "exactly-once",
  })
  session.abort()
  await expect(sink.write(split, stream(batch), session)).rejects.toMatchObject({ reason: "cancelled" })
})
