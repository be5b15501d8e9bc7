import type { Data, DataType, Decimal } from "apache-arrow"
import type { LogicalType, Session, Vector } from "../../core/contract/index.ts"
import { MOST_CHARACTERS, writeDecimal } from "./arrow-decimal.ts"
import { lookedUp } from "./arrow-dictionary.ts"
import { isNested, ofType } from "./arrow-fields.ts"
import type { Arrow } from "./arrow-library.ts"
import { nestedText } from "./arrow-nested.ts"
import { fromHalf, intervalText, microseconds } from "./arrow-time.ts"

export interface ReadContext {
  readonly arrow: Arrow
  readonly session: Session
  readonly cutNanoseconds: boolean
  /** Counts values that lost their nanoseconds. */
  cut(values: number): void
}

/** A vector, and the rows whose value has no place in it, with the reason. */
export interface ReadVector {
  readonly vector: Vector
  readonly unfit: ReadonlyMap<number, string>
  /** As the file has it, where `vector` no longer shows a value that is unfit. */
  readonly raw?: Vector
}

/** An Arrow column as ours; memory is shared where the layouts agree. */
export function readVector(data: Data, context: ReadContext): ReadVector {
  const type = ofType(data.type, context.arrow)
  if (type === undefined) throw new TypeError(`${data.type} has no counterpart`)
  if (context.arrow.DataType.isDictionary(data.type)) return decoded(data, type, context)
  if (isNested(data.type, context.arrow)) {
    const unfit = new Map<number, string>()
    const texts = nestedText(data, context, unfit)
    return { vector: textVector(type, data.length, texts), unfit }
  }
  return flat(data, type, context)
}

interface Base {
  readonly type: LogicalType
  readonly length: number
  readonly nulls: number
  readonly validity: Uint8Array | undefined
}

function flat(data: Data, type: LogicalType, context: ReadContext): ReadVector {
  const { DataType } = context.arrow
  const { length } = data
  const arrowType: DataType = data.type
  const nulls = DataType.isNull(arrowType) ? length : data.nullCount
  const base: Base = { type, length, nulls, validity: nulls === 0 ? undefined : (data.nullBitmap ?? undefined) }
  const isPresent = presence(base.validity)
  if (DataType.isNull(arrowType)) return fitting(textVector(type, length, () => null))
  if (DataType.isBool(arrowType)) return fitting({ ...base, storage: "bit", values: data.values })
  if (DataType.isInt(arrowType)) return fitting(integers(data, base, arrowType.bitWidth, arrowType.isSigned))
  if (DataType.isFloat(arrowType)) {
    if (type.kind === "float64")
      return fitting({ ...base, storage: "float64", values: data.values.subarray(0, length) })
    const halves = arrowType.precision === context.arrow.Precision.HALF
    const values = halves
      ? Float32Array.from(data.values.subarray(0, length), fromHalf)
      : data.values.subarray(0, length)
    return fitting({ ...base, storage: "float32", values })
  }
  if (DataType.isDecimal(arrowType)) return fitting(decimals(data, arrowType, base, isPresent))
  if (DataType.isDate(arrowType)) return dates(data, base, isPresent)
  if (DataType.isTime(arrowType) || DataType.isTimestamp(arrowType)) {
    const wide =
      data.values instanceof BigInt64Array ? data.values : BigInt64Array.from(data.values as Int32Array, BigInt)
    return moments(wide.subarray(0, length), arrowType.unit, base, isPresent, context)
  }
  if (DataType.isDuration(arrowType)) return durations(data, arrowType.unit, base, isPresent, context)
  if (DataType.isInterval(arrowType)) return intervals(data, arrowType.unit, base, isPresent, context)
  if (DataType.isFixedSizeBinary(arrowType)) return fitting(fixedBytes(data, arrowType.byteWidth, base))
  if (DataType.isUtf8View(arrowType) || DataType.isBinaryView(arrowType)) return checkedText(views(data, base), type)
  const offsets: Int32Array | BigInt64Array = data.valueOffsets
  const narrow = offsets instanceof BigInt64Array ? Int32Array.from(offsets, Number) : offsets
  const vector: Vector = { ...base, storage: "bytes", offsets: narrow.subarray(0, length + 1), data: data.values }
  return checkedText(vector, type)
}

const NONE: ReadonlyMap<number, string> = new Map()

function fitting(vector: Vector): ReadVector {
  return { vector, unfit: NONE }
}

function integers(data: Data, base: Base, bits: number, signed: boolean): Vector {
  const values = data.values.subarray(0, base.length)
  if (bits === 8) return { ...base, storage: "int16", values: Int16Array.from(values as Int8Array) }
  if (bits === 16 && signed) return { ...base, storage: "int16", values }
  if (bits === 16) return { ...base, storage: "int32", values: Int32Array.from(values as Uint16Array) }
  if (bits === 32 && signed) return { ...base, storage: "int32", values }
  if (bits === 64) return int64s(base, values)
  const words = new Int32Array(base.length * 2)
  for (let row = 0; row < base.length; row++) words[row * 2] = values[row]
  return int64s(base, words)
}

function int64s(base: Base, memory: BigInt64Array | BigUint64Array | Int32Array): Vector {
  const words = new Int32Array(memory.buffer, memory.byteOffset, base.length * 2)
  const values = new BigInt64Array(memory.buffer, memory.byteOffset, base.length)
  return { ...base, storage: "int64", values, words }
}

function decimals(data: Data, type: Decimal, base: Base, isPresent: (row: number) => boolean): Vector {
  const width = type.bitWidth / 16
  const source = data.values as Uint32Array
  const halves = new Uint16Array(source.buffer, source.byteOffset, base.length * width)
  const limbs = new Uint16Array(width)
  const most = MOST_CHARACTERS + Math.abs(type.scale)
  const offsets = new Int32Array(base.length + 1)
  let target = new Uint8Array(base.length * 16 + most)
  let at = 0
  for (let row = 0; row < base.length; row++) {
    if (isPresent(row)) {
      if (at + most > target.length) target = grown(target, at)
      limbs.set(halves.subarray(row * width, (row + 1) * width))
      at = writeDecimal(limbs, type.scale, target, at)
    }
    offsets[row + 1] = at
  }
  return { ...base, storage: "bytes", offsets, data: target.subarray(0, at) }
}

function grown(bytes: Uint8Array<ArrayBuffer>, used: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2)
  larger.set(bytes.subarray(0, used))
  return larger
}

const DAY_MS = 86_400_000n

function dates(data: Data, base: Base, isPresent: (row: number) => boolean): ReadVector {
  const days: Int32Array | BigInt64Array = data.values
  if (days instanceof Int32Array) return fitting({ ...base, storage: "int32", values: days.subarray(0, base.length) })
  const unfit = new Map<number, string>()
  const values = new Int32Array(base.length)
  for (let row = 0; row < base.length; row++) {
    if (!isPresent(row)) continue
    const day = days[row]! / DAY_MS
    values[row] = Number(day)
    if (day * DAY_MS !== days[row] || BigInt(values[row]!) !== day)
      unfit.set(row, `${days[row]} milliseconds are no date`)
  }
  return { vector: { ...base, storage: "int32", values }, unfit }
}

function moments(
  counts: BigInt64Array,
  unit: number,
  base: Base,
  isPresent: (row: number) => boolean,
  context: ReadContext,
): ReadVector {
  const { values, unfit, cut } = microseconds(counts, unit, isPresent, context.cutNanoseconds)
  if (cut > 0) context.cut(cut)
  return { vector: int64s(base, values), unfit: new Map(unfit.map((row) => [row, tooFine(counts[row]!, unit)])) }
}

function tooFine(count: bigint, unit: number): string {
  return unit === 3
    ? `${count} nanoseconds are no whole microseconds, which is as fine as values are kept`
    : `${count} ${unit === 0 ? "seconds" : "milliseconds"} are out of range`
}

function durations(
  data: Data,
  unit: number,
  base: Base,
  isPresent: (row: number) => boolean,
  context: ReadContext,
): ReadVector {
  const counts = (data.values as BigInt64Array).subarray(0, base.length)
  const { vector, unfit } = moments(counts, unit, base, isPresent, context)
  if (vector.storage !== "int64") throw new TypeError("moments are 64-bit")
  const { values } = vector
  return {
    vector: textVector(base.type, base.length, (row) => (isPresent(row) ? intervalText(0, 0, values[row]!) : null)),
    unfit,
  }
}

/** Months; days and milliseconds; or months, days and nanoseconds. */
function intervals(
  data: Data,
  kind: number,
  base: Base,
  isPresent: (row: number) => boolean,
  context: ReadContext,
): ReadVector {
  const words = data.values as Int32Array
  const unit = context.arrow.IntervalUnit
  const width = kind === unit.YEAR_MONTH ? 1 : kind === unit.DAY_TIME ? 2 : 4
  const nanos = new BigInt64Array(base.length)
  if (width === 4)
    for (let row = 0; row < base.length; row++)
      nanos[row] = (BigInt(words[row * 4 + 3]!) << 32n) | BigInt(words[row * 4 + 2]! >>> 0)
  const { values, unfit, cut } = microseconds(nanos, 3, isPresent, context.cutNanoseconds)
  if (cut > 0) context.cut(cut)
  const text = (row: number) => {
    if (!isPresent(row)) return null
    if (width === 1) return intervalText(words[row]!, 0, 0n)
    if (width === 2) return intervalText(0, words[row * 2]!, BigInt(words[row * 2 + 1]!) * 1000n)
    return intervalText(words[row * 4]!, words[row * 4 + 1]!, values[row]!)
  }
  return {
    vector: textVector(base.type, base.length, text),
    unfit: new Map(unfit.map((row) => [row, tooFine(nanos[row]!, 3)])),
  }
}

function fixedBytes(data: Data, width: number, base: Base): Vector {
  const offsets = Int32Array.from({ length: base.length + 1 }, (_, row) => row * width)
  return { ...base, storage: "bytes", offsets, data: (data.values as Uint8Array).subarray(0, base.length * width) }
}

/** Views are 16 bytes: a length, and the bytes themselves up to 12, or a prefix, a buffer's number and an offset. */
function views(data: Data, base: Base): Vector {
  const source = data.values as Uint8Array
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  const offsets = new Int32Array(base.length + 1)
  const isPresent = presence(base.validity)
  for (let row = 0; row < base.length; row++)
    offsets[row + 1] = offsets[row]! + (isPresent(row) ? view.getInt32(row * 16, true) : 0)
  const target = new Uint8Array(offsets[base.length]!)
  for (let row = 0; row < base.length; row++) {
    const size = offsets[row + 1]! - offsets[row]!
    const buffer = size <= 12 ? source : data.variadicBuffers[view.getInt32(row * 16 + 8, true)]!
    const from = size <= 12 ? row * 16 + 4 : view.getInt32(row * 16 + 12, true)
    target.set(buffer.subarray(from, from + size), offsets[row])
  }
  return { ...base, storage: "bytes", offsets, data: target }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Text has to be UTF-8, which Arrow prescribes and nobody enforces. */
function checkedText(vector: Vector, type: LogicalType): ReadVector {
  if (type.kind !== "string" || vector.storage !== "bytes" || isUtf8(vector)) return fitting(vector)
  const unfit = new Map<number, string>()
  const { offsets, data } = vector
  for (let row = 0; row < vector.length; row++)
    if (!decodes(data.subarray(offsets[row], offsets[row + 1]))) unfit.set(row, "The text is not valid UTF-8")
  return { vector, unfit }
}

/** All at once, and no value begins within a character. */
function isUtf8({ offsets, data, length }: Vector & { readonly storage: "bytes" }): boolean {
  for (let row = 1; row <= length; row++) {
    const at = offsets[row]!
    if (at < data.length && at > offsets[0]! && (data[at]! & 0xc0) === 0x80) return false
  }
  return decodes(data.subarray(offsets[0], offsets[length]))
}

function decodes(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** A dictionary serves many batches, and each of its parts is converted once. */
const dictionaries = new WeakMap<Data, ReadVector>()

function decoded(data: Data, type: LogicalType, context: ReadContext): ReadVector {
  if (data.dictionary === undefined) throw new TypeError("a dictionary is missing")
  const parts = data.dictionary.data.map((part) => {
    const read = dictionaries.get(part) ?? readVector(part, context)
    dictionaries.set(part, read)
    return read
  })
  const request = { type, length: data.length, isPresent: presence(data.nullCount === 0 ? undefined : data.nullBitmap) }
  return lookedUp(parts, data.values as ArrayLike<number | bigint>, request, context.session)
}

function presence(validity: Uint8Array | null | undefined): (row: number) => boolean {
  return (row) => validity == null || ((validity[row >>> 3]! >>> (row & 7)) & 1) === 1
}

export function textVector(type: LogicalType, length: number, text: (row: number) => string | null): Vector {
  const offsets = new Int32Array(length + 1)
  const validity = new Uint8Array((length + 7) >>> 3)
  const encoded: Uint8Array[] = []
  let nulls = 0
  for (let row = 0; row < length; row++) {
    const value = text(row)
    if (value === null) nulls++
    else validity[row >>> 3]! |= 1 << (row & 7)
    const bytes = encoder.encode(value ?? "")
    encoded.push(bytes)
    offsets[row + 1] = offsets[row]! + bytes.length
  }
  const data = new Uint8Array(offsets[length]!)
  for (const [row, bytes] of encoded.entries()) data.set(bytes, offsets[row])
  return { storage: "bytes", type, length, nulls, validity: nulls === 0 ? undefined : validity, offsets, data }
}

const encoder = new TextEncoder()
