import type { ColumnBuilder, LogicalType, Vector } from "../contract/index.ts"
import { parserOf } from "./parse.ts"
import { storageOf } from "./storage.ts"

/** What the batch builder needs of a column beyond the contract. */
export abstract class Collector implements ColumnBuilder {
  readonly type: LogicalType
  readonly capacity: number
  /** Values appended so far. */
  length = 0
  nulls = 0
  validity: Uint8Array | undefined
  #parse: (column: Collector, source: Uint8Array, start: number, end: number) => boolean

  constructor(type: LogicalType, capacity: number) {
    this.type = type
    this.capacity = capacity
    this.#parse = parserOf(type)
  }

  /** Appends what stands for NULL in the values. */
  protected abstract blank(): void
  /** Bytes in use. */
  abstract get bytesUsed(): number
  protected abstract vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector
  /** Memory for the next batch: what came back, or new. */
  protected abstract renew(): void
  /** Takes the memory of a vector that this column gave and nobody reads any more. */
  abstract recycle(vector: Vector): void
  /** Forgets values beyond `length`, which is already set back. */
  protected shrink(): void {}

  null(): void {
    this.validity ??= new Uint8Array((this.capacity + 7) >>> 3).fill(255)
    const row = this.length
    this.validity[row >>> 3] = this.validity[row >>> 3]! & ~(1 << (row & 7))
    this.nulls++
    this.blank()
  }

  /** Drops the value after the first `rows`, if there is one. */
  truncate(rows: number): void {
    if (this.length <= rows) return
    const row = rows
    if (this.validity !== undefined && ((this.validity[row >>> 3]! >>> (row & 7)) & 1) === 0) {
      this.validity[row >>> 3] = this.validity[row >>> 3]! | (1 << (row & 7))
      this.nulls--
    }
    this.length = rows
    this.shrink()
  }

  finish(): Vector {
    const vector = this.vector(this.length, this.nulls, this.nulls === 0 ? undefined : this.validity)
    this.length = 0
    this.nulls = 0
    this.validity = undefined
    this.renew()
    return vector
  }

  parse(source: Uint8Array, start: number, end: number): boolean {
    return this.#parse(this, source, start, end)
  }

  boolean(_value: boolean): void {
    this.#unfit("boolean")
  }
  int(_value: number): void {
    this.#unfit("int")
  }
  int64(_low: number, _high: number): void {
    this.#unfit("int64")
  }
  bigint(_value: bigint): void {
    this.#unfit("bigint")
  }
  float(_value: number): void {
    this.#unfit("float")
  }
  bytes(_source: Uint8Array, _start: number, _end: number): void {
    this.#unfit("bytes")
  }
  text(_value: string): void {
    this.#unfit("text")
  }

  #unfit(method: string): never {
    throw new TypeError(`Cannot append with ${method}() to a column of type ${this.type.kind}`)
  }
}

export function makeCollector(type: LogicalType, capacity: number): Collector {
  switch (storageOf(type)) {
    case "bit":
      return new BitCollector(type, capacity)
    case "int16":
      return new Int16Collector(type, capacity)
    case "int32":
      return new Int32Collector(type, capacity)
    case "int64":
      return new Int64Collector(type, capacity)
    case "float32":
      return new Float32Collector(type, capacity)
    case "float64":
      return new Float64Collector(type, capacity)
    case "bytes":
      return new BytesCollector(type, capacity)
    case "uuid":
      return new UuidCollector(type, capacity)
  }
}

class BitCollector extends Collector {
  #values = new Uint8Array((this.capacity + 7) >>> 3)
  readonly #free: Uint8Array<ArrayBuffer>[] = []
  override get bytesUsed(): number {
    return this.length >>> 3
  }
  override boolean(value: boolean): void {
    const row = this.length++
    const mask = 1 << (row & 7)
    this.#values[row >>> 3] = value ? this.#values[row >>> 3]! | mask : this.#values[row >>> 3]! & ~mask
  }
  protected override blank(): void {
    this.boolean(false)
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    return { storage: "bit", type: this.type, length, nulls, validity, values: this.#values }
  }
  protected override renew(): void {
    this.#values = this.#free.pop() ?? new Uint8Array((this.capacity + 7) >>> 3)
  }
  override recycle(vector: Vector): void {
    if (vector.storage === "bit") this.#free.push(vector.values as Uint8Array<ArrayBuffer>) // given by `vector`, as a whole
  }
}

class Int16Collector extends Collector {
  #values = new Int16Array(this.capacity)
  readonly #free: Int16Array<ArrayBuffer>[] = []
  override get bytesUsed(): number {
    return this.length * 2
  }
  override int(value: number): void {
    this.#values[this.length++] = value
  }
  protected override blank(): void {
    this.#values[this.length++] = 0
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    return { storage: "int16", type: this.type, length, nulls, validity, values: this.#values.subarray(0, length) }
  }
  protected override renew(): void {
    this.#values = this.#free.pop() ?? new Int16Array(this.capacity)
  }
  override recycle(vector: Vector): void {
    if (vector.storage === "int16") this.#free.push(new Int16Array(whole(vector.values)))
  }
}

class Int32Collector extends Collector {
  #values = new Int32Array(this.capacity)
  readonly #free: Int32Array<ArrayBuffer>[] = []
  override get bytesUsed(): number {
    return this.length * 4
  }
  override int(value: number): void {
    this.#values[this.length++] = value
  }
  protected override blank(): void {
    this.#values[this.length++] = 0
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    return { storage: "int32", type: this.type, length, nulls, validity, values: this.#values.subarray(0, length) }
  }
  protected override renew(): void {
    this.#values = this.#free.pop() ?? new Int32Array(this.capacity)
  }
  override recycle(vector: Vector): void {
    if (vector.storage === "int32") this.#free.push(new Int32Array(whole(vector.values)))
  }
}

class Int64Collector extends Collector {
  #words = new Int32Array(this.capacity * 2)
  readonly #free: Int32Array<ArrayBuffer>[] = []
  override get bytesUsed(): number {
    return this.length * 8
  }
  override int64(low: number, high: number): void {
    const at = this.length++ * 2
    this.#words[at] = low
    this.#words[at + 1] = high
  }
  override bigint(value: bigint): void {
    this.int64(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn))
  }
  protected override blank(): void {
    this.int64(0, 0)
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    const words = this.#words.subarray(0, length * 2)
    const values = new BigInt64Array(words.buffer, words.byteOffset, length)
    return { storage: "int64", type: this.type, length, nulls, validity, values, words }
  }
  protected override renew(): void {
    this.#words = this.#free.pop() ?? new Int32Array(this.capacity * 2)
  }
  override recycle(vector: Vector): void {
    if (vector.storage === "int64") this.#free.push(new Int32Array(whole(vector.words)))
  }
}

class Float32Collector extends Collector {
  #values = new Float32Array(this.capacity)
  readonly #free: Float32Array<ArrayBuffer>[] = []
  override get bytesUsed(): number {
    return this.length * 4
  }
  override float(value: number): void {
    this.#values[this.length++] = value
  }
  protected override blank(): void {
    this.#values[this.length++] = 0
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    return { storage: "float32", type: this.type, length, nulls, validity, values: this.#values.subarray(0, length) }
  }
  protected override renew(): void {
    this.#values = this.#free.pop() ?? new Float32Array(this.capacity)
  }
  override recycle(vector: Vector): void {
    if (vector.storage === "float32") this.#free.push(new Float32Array(whole(vector.values)))
  }
}

class Float64Collector extends Collector {
  #values = new Float64Array(this.capacity)
  readonly #free: Float64Array<ArrayBuffer>[] = []
  override get bytesUsed(): number {
    return this.length * 8
  }
  override float(value: number): void {
    this.#values[this.length++] = value
  }
  protected override blank(): void {
    this.#values[this.length++] = 0
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    return { storage: "float64", type: this.type, length, nulls, validity, values: this.#values.subarray(0, length) }
  }
  protected override renew(): void {
    this.#values = this.#free.pop() ?? new Float64Array(this.capacity)
  }
  override recycle(vector: Vector): void {
    if (vector.storage === "float64") this.#free.push(new Float64Array(whole(vector.values)))
  }
}

const encoder = new TextEncoder()
/** Bytes of a column that are kept for the next batch at most. */
const LARGEST_KEPT = 4_194_304

class BytesCollector extends Collector {
  #offsets = new Int32Array(this.capacity + 1)
  #data = new Uint8Array(this.capacity * 16)
  #view = new DataView(this.#data.buffer)
  #used = 0
  readonly #free: { readonly offsets: Int32Array<ArrayBuffer>; readonly data: Uint8Array<ArrayBuffer> }[] = []
  override get bytesUsed(): number {
    return this.#used + this.length * 4
  }
  override bytes(source: Uint8Array, start: number, end: number): void {
    const size = end - start
    if (this.#used + size > this.#data.length) this.#grow(size)
    // A call to `set` costs more than copying a short value by hand, four bytes at a time (measured).
    if (size < 256) copy(viewOf(source), start, end, this.#view, this.#used)
    else this.#data.set(source.subarray(start, end), this.#used)
    this.#used += size
    this.#offsets[++this.length] = this.#used
  }
  override text(value: string): void {
    if (this.#used + value.length * 3 > this.#data.length) this.#grow(value.length * 3)
    this.#used += encoder.encodeInto(value, this.#data.subarray(this.#used)).written
    this.#offsets[++this.length] = this.#used
  }
  protected override blank(): void {
    this.#offsets[++this.length] = this.#used
  }
  protected override shrink(): void {
    this.#used = this.#offsets[this.length]!
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    const offsets = this.#offsets.subarray(0, length + 1)
    const data = this.#data.subarray(0, this.#used)
    return { storage: "bytes", type: this.type, length, nulls, validity, offsets, data }
  }
  protected override renew(): void {
    // The last batch tells how much the next one needs; a single huge value must not be reserved for ever.
    const size = Math.min(Math.max(this.#used + (this.#used >> 3), this.capacity * 4, 1024), LARGEST_KEPT)
    const { data, offsets } = this.#free.pop() ?? {
      data: new Uint8Array(size),
      offsets: new Int32Array(this.capacity + 1),
    }
    this.#data = data
    this.#view = new DataView(data.buffer)
    this.#offsets = offsets
    this.#used = 0
  }
  override recycle(vector: Vector): void {
    if (vector.storage !== "bytes") return
    const data = new Uint8Array(whole(vector.data))
    if (data.length > Math.min(4 * Math.max(vector.data.length, this.capacity * 16), LARGEST_KEPT)) return
    this.#free.push({ data, offsets: new Int32Array(whole(vector.offsets)) })
  }
  #grow(size: number): void {
    const grown = new Uint8Array(Math.max(this.#data.length * 2, this.#used + size))
    grown.set(this.#data.subarray(0, this.#used))
    this.#data = grown
    this.#view = new DataView(grown.buffer)
  }
}

let viewed: Uint8Array = new Uint8Array(0)
let view = new DataView(viewed.buffer)

/** Values come in long rows from the same source. */
function viewOf(source: Uint8Array): DataView {
  if (source !== viewed) {
    view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    viewed = source
  }
  return view
}

function copy(source: DataView, start: number, end: number, target: DataView, at: number): void {
  let from = start
  let to = at
  for (const stop = end - 3; from < stop; from += 4, to += 4) target.setInt32(to, source.getInt32(from, true), true)
  for (; from < end; from++, to++) target.setUint8(to, source.getUint8(from))
}

class UuidCollector extends Collector {
  #data = new Uint8Array(this.capacity * 16)
  readonly #free: Uint8Array<ArrayBuffer>[] = []
  override get bytesUsed(): number {
    return this.length * 16
  }
  override bytes(source: Uint8Array, start: number, end: number): void {
    if (end - start !== 16) throw new TypeError(`Cannot append ${end - start} bytes to a uuid column: 16 make a uuid`)
    this.#data.set(source.subarray(start, end), this.length++ * 16)
  }
  protected override blank(): void {
    this.#data.fill(0, this.length * 16, ++this.length * 16)
  }
  protected override vector(length: number, nulls: number, validity: Uint8Array | undefined): Vector {
    return { storage: "uuid", type: this.type, length, nulls, validity, data: this.#data.subarray(0, length * 16) }
  }
  protected override renew(): void {
    this.#data = this.#free.pop() ?? new Uint8Array(this.capacity * 16)
  }
  override recycle(vector: Vector): void {
    if (vector.storage === "uuid") this.#free.push(new Uint8Array(whole(vector.data)))
  }
}

/** All the memory behind a vector: it shows as much of it as it has values. */
function whole(values: { readonly buffer: ArrayBufferLike }): ArrayBuffer {
  return values.buffer as ArrayBuffer // made here, and shared with no other thread
}
