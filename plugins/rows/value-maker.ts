import type { ColumnBuilder, LogicalType } from "../../core/contract/index.ts"
import type { Draw } from "./draw.ts"

/** Appends one value to a column. */
export type Make = (draw: Draw) => void

const DAYS = 36525
const LETTERS = new TextEncoder().encode("aaabcdeeefghiiiklmnooopqrstuuvwxyz      ")
const encoder = new TextEncoder()

/** Ordinary values of a type. */
export function valueMaker(type: LogicalType, column: ColumnBuilder): Make {
  switch (type.kind) {
    case "boolean":
      return (draw) => column.boolean(draw.below(2) === 1)
    case "int16":
      return (draw) => column.int(draw.next() >> 16)
    case "int32":
      return (draw) => column.int(draw.next() | 0)
    case "int64":
    case "uint64":
      return (draw) => column.int64(draw.next(), draw.next())
    case "float32":
    case "float64":
      return (draw) => column.float(((draw.next() | 0) / 1000) * (draw.below(10) === 0 ? 1e6 : 1))
    case "decimal":
      return decimalMaker(type.precision ?? 24, type.precision === undefined ? 6 : (type.scale ?? 0), column)
    case "string":
      return textMaker(Math.min(type.length ?? 24, 24), column)
    case "bytes":
      return bytesMaker(Math.min(type.length ?? 32, 32), column)
    case "date":
      return (draw) => column.int(draw.below(DAYS))
    case "time": {
      const cut = fractionCut(type.precision)
      return (draw) => appendMicros(column, draw.below(86_400) * 1e6 + cut(draw.below(1e6)))
    }
    case "timestamp": {
      const cut = fractionCut(type.precision)
      return (draw) => appendMicros(column, draw.next() * 1e6 + cut(draw.below(1e6)))
    }
    case "interval":
      return (draw) =>
        column.text(`${draw.below(1000)} days ${twoDigits(draw.below(24))}:${twoDigits(draw.below(60))}:00`)
    case "json":
      return (draw) =>
        column.text(`{"id": ${draw.next()}, "tags": ["t${draw.below(10)}", null], "ok": ${draw.below(2) === 1}}`)
    case "uuid":
      return uuidMaker(column)
    case "native":
      throw new TypeError(`Cannot make values of the type ${type.name} of ${type.system}`)
  }
}

/** Significant digits with an exponent, which `parse` puts into the column's form. */
function decimalMaker(precision: number, scale: number, column: ColumnBuilder): Make {
  const exponent = encoder.encode(`e${-scale}`)
  const text = new Uint8Array(precision + exponent.length + 1)
  return (draw) => {
    const digits = 1 + draw.below(precision)
    let at = 0
    if (draw.below(3) === 0) text[at++] = 0x2d
    text[at++] = 0x31 + draw.below(9)
    for (let i = 1; i < digits; i++) text[at++] = 0x30 + draw.below(10)
    text.set(exponent, at)
    column.parse(text, 0, at + exponent.length)
  }
}

function textMaker(length: number, column: ColumnBuilder): Make {
  const text = new Uint8Array(length)
  return (draw) => {
    const size = 1 + draw.below(length)
    for (let i = 0; i < size; i++) text[i] = LETTERS[draw.below(i === 0 || i === size - 1 ? 34 : LETTERS.length)]!
    column.bytes(text, 0, size)
  }
}

function bytesMaker(length: number, column: ColumnBuilder): Make {
  const bytes = new Uint8Array(length)
  return (draw) => {
    const size = draw.below(length + 1)
    for (let i = 0; i < size; i++) bytes[i] = draw.next()
    column.bytes(bytes, 0, size)
  }
}

function uuidMaker(column: ColumnBuilder): Make {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  return (draw) => {
    for (let at = 0; at < 16; at += 4) view.setUint32(at, draw.next())
    // Version 4, variant 1.
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    column.bytes(bytes, 0, 16)
  }
}

/** Up to 2^53 microseconds, as the two halves of a 64-bit integer. */
export function appendMicros(column: ColumnBuilder, micros: number): void {
  column.int64(micros % 4294967296, Math.floor(micros / 4294967296))
}

function fractionCut(precision = 6): (micros: number) => number {
  const unit = 10 ** (6 - precision)
  return (micros) => micros - (micros % unit)
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0")
}
