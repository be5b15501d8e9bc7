import { expect, test } from "bun:test"
import type { Batch, BatchBuilder, Columns, LogicalType, Vector } from "../contract/index.ts"
import { makeBatches } from "./index.ts"

const types: readonly LogicalType[] = [
  { kind: "boolean" },
  { kind: "int16" },
  { kind: "int32" },
  { kind: "int64" },
  { kind: "float32" },
  { kind: "float64" },
  { kind: "string" },
  { kind: "uuid" },
]
const columns: Columns = types.map((type) => ({ name: type.kind, type, nullable: true }))
const encoder = new TextEncoder()

/** Row `n`: every third value of a column is NULL, and texts are of every length. */
function texts(n: number): (string | null)[] {
  const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`
  const values = [String(n % 2 === 0), n % 30000, n, `-${n}000000000000`, n / 4, n / 8, "ä".repeat(n % 40), uuid]
  return values.map((value, i) => ((n + i) % 3 === 0 ? null : String(value)))
}

function build(builder: BatchBuilder, from: number, rows: number): Batch {
  for (let n = from; n < from + rows; n++) {
    for (const [i, text] of texts(n).entries()) {
      const bytes = encoder.encode(text ?? "")
      if (text === null) builder.columns[i]!.null()
      else if (!builder.columns[i]!.parse(bytes, 0, bytes.length)) throw new Error(`Cannot read "${text}"`)
    }
    builder.endRow()
  }
  return builder.finish()
}

function memoryOf(vector: Vector): ArrayBufferLike {
  if (vector.storage === "bytes") return vector.offsets.buffer
  return (vector.storage === "uuid" ? vector.data : vector.values).buffer
}

const memories = (batch: Batch) => batch.vectors.map(memoryOf)
const batches = makeBatches({ rows: 50, bytes: 1_000_000 }, true)
const shown = (batch: Batch) =>
  Array.from({ length: batch.rows }, (_, row) => Object.values(batches.record(batch, row)))
const expected = (from: number, rows: number) =>
  shown(build(makeBatches({ rows: 50, bytes: 1_000_000 }).builder(columns), from, rows))

test("batches are built in memory that came back, and hold nothing of what was there", () => {
  const builder = batches.builder(columns)
  const first = build(builder, 0, 50)
  const known = memories(first)
  const second = build(builder, 50, 50)
  for (const memory of memories(second)) expect(known).not.toContain(memory)
  builder.recycle(first)
  build(builder, 100, 0)
  // Shorter than the one before, so that its rest is still in that memory.
  const third = build(builder, 100, 7)
  expect(memories(third)).toEqual(known)
  expect(shown(third)).toEqual(expected(100, 7))
  expect(shown(second)).toEqual(expected(50, 50))
  builder.recycle(third)
  build(builder, 107, 0)
  const fourth = build(builder, 107, 50)
  expect(memories(fourth)).toEqual(known)
  expect(shown(fourth)).toEqual(expected(107, 50))
})

test("batches are left alone where somebody may still read them", () => {
  const careful = makeBatches({ rows: 50, bytes: 1_000_000 })
  const builder = careful.builder(columns)
  const first = build(builder, 0, 50)
  builder.recycle(first)
  for (let from = 50; from < 500; from += 50) builder.recycle(build(builder, from, 50))
  expect(shown(first)).toEqual(expected(0, 50))
})

test("batches do not keep the room of a single large value", () => {
  const builder = batches.builder([{ name: "text", type: { kind: "string" }, nullable: false }])
  const large = new Uint8Array(3_000_000).fill(0x61)
  builder.columns[0]!.bytes(large, 0, large.length)
  builder.endRow()
  const batch = builder.finish()
  builder.columns[0]!.bytes(large, 0, 10)
  builder.endRow()
  const small = builder.finish()
  builder.recycle(batch)
  builder.recycle(small)
  builder.finish()
  const next = builder.finish().vectors[0]!
  expect(next.storage === "bytes" && next.data.buffer.byteLength).toBeLessThan(4_194_304)
})

test("casts are made in memory that came back, and never in that of others", () => {
  const numbers: Columns = [{ name: "n", type: { kind: "int32" }, nullable: true }]
  const of = (from: number, rows: number) =>
    batches.fromRows(
      numbers,
      Array.from({ length: rows }, (_, i) => ({ n: i % 5 === 0 ? null : from + i })),
    ).vectors[0]!
  const read = (vector: Vector) => Array.from({ length: vector.length }, (_, row) => batches.valueText(vector, row))
  const caster = batches.caster({ kind: "int64" })
  const given = [of(0, 20), of(20, 10), of(30, 20), of(50, 40), of(90, 20)]
  const seen = new Set<ArrayBufferLike>()
  for (const vector of given) {
    const { vector: result, failed } = caster.cast(vector)
    expect(failed).toEqual([])
    expect(read(result)).toEqual(read(vector))
    seen.add(memoryOf(result))
    caster.recycle(result)
  }
  // Two that take turns, and two more since the fourth needs more room.
  expect(seen.size).toBe(4)
  const label = batches.caster({ kind: "int32" })
  const same = label.cast(given[0]!).vector
  label.recycle(same)
  expect(memoryOf(same)).toBe(memoryOf(given[0]!))
  expect(read(label.cast(given[1]!).vector)).toEqual(read(given[1]!))
  expect(read(given[0]!)).toEqual(read(of(0, 20)))
})
