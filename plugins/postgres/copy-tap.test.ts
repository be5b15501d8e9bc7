import { expect, test } from "bun:test"
import { Buffer } from "node:buffer"
import { CopyTap } from "./copy-tap.ts"

function message(type: string, body: string): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 0)
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, Buffer.from(body)])
}

/** What goes where when the bytes come in these pieces; `[` and `]` are the sink's begin and end. */
function divided(pieces: readonly Uint8Array[]): { driver: string; sink: string } {
  const tap = new CopyTap()
  const driver: Uint8Array[] = []
  let sink = ""
  // As the socket's, each piece is memory of its own that nobody keeps.
  tap.driver = (chunk) => driver.push(Buffer.from(chunk))
  tap.receive({
    messages: (source, start, end) => {
      sink += Buffer.from(source.subarray(start, end)).toString()
    },
    end: () => {
      sink += "]"
    },
    fail: (error) => {
      sink += `!${error}`
    },
  })
  for (const piece of pieces) tap.data(Buffer.from(piece))
  return { driver: Buffer.concat(driver).toString(), sink }
}

const before = Buffer.concat([message("S", "ParameterStatus"), message("H", "\0")])
const rows = Buffer.concat([
  message("d", "one"),
  message("d", ""),
  message("d", "x".repeat(300)),
  message("d", "three"),
])
const after = Buffer.concat([message("c", ""), message("C", "COPY 4\0"), message("Z", "I")])
const stream = Buffer.concat([before, rows, after])
const whole = { driver: Buffer.concat([before, after]).toString(), sink: `${rows}]` }

test("postgres divides a stream the same at whatever bytes it is cut", () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    expect(divided([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole)
  }
  for (const size of [1, 2, 3, 4, 5, 6, 7, 50]) {
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) =>
      stream.subarray(i * size, (i + 1) * size),
    )
    expect(divided(pieces)).toEqual(whole)
  }
})

test("postgres leaves what comes behind an error, and a lost connection, to the driver", () => {
  const error = message("E", "SERROR\0\0")
  const failed = divided([Buffer.concat([before, message("d", "one"), error, message("Z", "I")])])
  expect(failed).toEqual({
    driver: Buffer.concat([before, error, message("Z", "I")]).toString(),
    sink: message("d", "one").toString(),
  })
  const tap = new CopyTap()
  const seen: unknown[] = []
  tap.receive({ messages: () => {}, end: () => seen.push("end"), fail: (cause) => seen.push(cause) })
  tap.fail("lost")
  tap.fail("twice")
  expect(seen).toEqual(["lost"])
})

test("postgres gives the memory of rows back at once, and never what the driver has seen", () => {
  const tap = new CopyTap()
  let sink = ""
  const driver: Uint8Array[] = []
  tap.driver = (chunk) => driver.push(chunk)
  tap.receive({
    messages: (source, start, end) => {
      sink += Buffer.from(source.subarray(start, end)).toString()
    },
    end: () => {},
    fail: () => {},
  })
  // The first and the last piece hold what the driver gets, and messages are cut in two between the others.
  const pieces = [before.length + 3, before.length + 8, before.length + 9, stream.length - 20, stream.length].map(
    (end, i, ends) => new Uint8Array(stream.subarray(ends[i - 1] ?? 0, end)),
  )
  for (const piece of pieces) tap.data(piece)
  expect(sink).toBe(rows.toString())
  expect(Buffer.concat(driver).toString()).toBe(whole.driver)
  expect(pieces.map(({ byteLength }) => byteLength > 0)).toEqual([true, false, false, false, true])
})
