import { expect, test } from "bun:test"
import { createRequire } from "node:module"
import { type PacketParser, RowTap } from "./mysql-tap.ts"

interface Packet {
  readonly buffer: Uint8Array
  readonly offset: number
  readonly end: number
  readonly numPackets: number
}

/** The driver's own. */
const DriverParser = createRequire(require.resolve("mysql2"))("./lib/packet_parser.js") as new (
  onPacket: (packet: Packet) => void,
) => PacketParser

function packetsOf(payload: Uint8Array, first = 0): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = 0, n = first; ; at += 0xffffff, n++) {
    const piece = payload.subarray(at, at + 0xffffff)
    parts.push(Uint8Array.of(piece.length & 255, (piece.length >> 8) & 255, piece.length >> 16, n & 255), piece)
    if (piece.length < 0xffffff) break
  }
  return Buffer.concat(parts)
}

const textRow = (text: string) => Uint8Array.of(text.length, ...new TextEncoder().encode(text))
const END = Uint8Array.of(0xfe, 0, 0, 2, 0)
const ERROR = Uint8Array.of(0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9)

/** What the driver does with results: rows between a header and an end, statement by statement. */
class Rig {
  readonly rows: string[] = []
  readonly others: string[] = []
  passed = 0
  byDriver = 0
  readonly tap: RowTap
  #isRows = false

  constructor() {
    const onRow = (buffer: Uint8Array, start: number, end: number) =>
      void this.rows.push(Buffer.from(buffer.subarray(start, end)).toString("latin1"))
    const parser = new DriverParser(({ buffer, offset, end }) => {
      const payload = Buffer.from(buffer.subarray(offset, end))
      const isEnd = payload[0] === 0xff || (payload[0] === 0xfe && payload.length < 9)
      if (!this.#isRows || isEnd) {
        this.others.push(payload.toString("latin1"))
        this.#isRows = payload[0] === 0x01
        if (isEnd) this.tap.rowsEnd()
        return
      }
      this.byDriver++
      this.tap.rowsFollow(onRow)
      onRow(buffer, offset, end)
    })
    this.tap = new RowTap(parser, (packets) => {
      this.passed += packets
    })
  }

  send(bytes: Uint8Array, sizes: (at: number) => number): void {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.max(1, sizes(at))
      // In memory of its own, as the socket gives it.
      this.tap.execute(Buffer.from(new Uint8Array(bytes.subarray(at, at + size)).buffer))
      at += size
    }
  }
}

const HEADER = Uint8Array.of(0x01)
const texts = Array.from({ length: 40 }, (_, i) => `row ${i} ${"x".repeat((i * 7) % 50)}`)
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")

function results(ends: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    ends.flatMap((end) => [packetsOf(HEADER), ...texts.map((text) => packetsOf(textRow(text))), packetsOf(end)]),
  )
}

test("mysql takes every row once and in order, however the socket cuts the packets", () => {
  const ends = [END, ERROR, END]
  const bytes = results(ends)
  const expected = ends.flatMap(() => texts.map((text) => latin1(textRow(text))))
  const others = ends.flatMap((end) => [latin1(HEADER), latin1(end)])
  let seed = 7
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return seed
  }
  const ways = [
    ...Array.from({ length: 90 }, (_, size) => () => size + 1),
    () => 1e9,
    ...Array(50).fill(() => random() % 120),
  ]
  for (const sizes of ways) {
    const rig = new Rig()
    rig.send(bytes, sizes)
    expect(rig.rows).toEqual(expected)
    expect(rig.others).toEqual(others)
    expect(rig.passed + rig.byDriver).toBe(expected.length)
  }
  const rig = new Rig()
  rig.send(bytes, () => 61)
  expect(rig.byDriver).toBeLessThan(15)
})

test("mysql leaves a row that is too large for one packet to the driver, and takes those behind it", () => {
  const huge = new Uint8Array(0xffffff + 1000).fill(65)
  huge[0] = 0xfe
  for (const size of [100_000, 65_537, 7_000_001]) {
    const rig = new Rig()
    const row = packetsOf(textRow("small"))
    const tail = Array.from({ length: 30_000 }, () => row)
    rig.send(Buffer.concat([packetsOf(HEADER), row, row, packetsOf(huge), ...tail, packetsOf(END)]), () => size)
    expect(rig.rows.length).toBe(30_003)
    expect(rig.rows[2]?.length).toBe(huge.length)
    expect(new Set(rig.rows.filter((_, i) => i !== 2))).toEqual(new Set([latin1(textRow("small"))]))
    expect(rig.others).toEqual([latin1(HEADER), latin1(END)])
  }
})

test("mysql gives the memory of rows back at once, and never what the driver has seen", () => {
  const bytes = results([END])
  const rig = new Rig()
  const pieces = [60, 200, 350, bytes.length - 7, bytes.length].map((end, i, ends) => {
    const piece = new Uint8Array(bytes.subarray(ends[i - 1] ?? 0, end))
    return Buffer.from(piece.buffer)
  })
  for (const piece of pieces) rig.tap.execute(piece)
  expect(rig.rows.length).toBe(texts.length)
  expect(pieces.map(({ byteLength }) => byteLength > 0)).toEqual([true, true, false, false, true])
})
