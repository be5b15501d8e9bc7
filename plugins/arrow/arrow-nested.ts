import type { Data } from "apache-arrow"
import { isNested } from "./arrow-fields.ts"
import { type ReadContext, readVector } from "./arrow-read.ts"

/** The JSON text of a value of a list, struct or map; null where there is none. */
type TextOf = (row: number) => string | null

/**
 * Lists become arrays, structs and maps objects. Numbers keep every digit; what JSON has no form for is a string: dates,
 * binary data as `\x…`, NaN. Names of an object may repeat, as keys of a map may. A value that does not fit puts its
 * reason into `unfit` under its outermost row.
 */
export function nestedText(data: Data, context: ReadContext, unfit: Map<number, string>): TextOf {
  let current = 0
  const write = writer(data, context, (reason) => unfit.set(current, reason))
  return (row) => {
    current = row
    return write(row)
  }
}

function writer(data: Data, context: ReadContext, refuse: (reason: string) => void): TextOf {
  const { DataType } = context.arrow
  const { type } = data
  if (!isNested(type, context.arrow)) return plainWriter(data, context, refuse)
  const bitmap = data.nullCount === 0 ? undefined : data.nullBitmap
  const isNull = (row: number) => bitmap != null && ((bitmap[row >>> 3]! >>> (row & 7)) & 1) === 0
  if (DataType.isStruct(type)) {
    const members = type.children.map((field, i) => ({
      name: JSON.stringify(field.name),
      write: writer(data.children[i]!, context, refuse),
    }))
    return (row) =>
      isNull(row) ? null : `{${members.map(({ name, write }) => `${name}: ${write(row) ?? "null"}`).join(", ")}}`
  }
  const range = ranges(data, DataType.isFixedSizeList(type) ? type.listSize : undefined)
  const child = data.children[0]!
  if (DataType.isMap(type)) {
    const key = writer(child.children[0]!, context, refuse)
    const value = writer(child.children[1]!, context, refuse)
    return joined("{", "}", (at) => `${asName(key(at))}: ${value(at) ?? "null"}`)
  }
  const item = writer(child, context, refuse)
  return joined("[", "]", (at) => item(at) ?? "null")

  function joined(open: string, close: string, part: (at: number) => string): TextOf {
    return (row) => {
      if (isNull(row)) return null
      const [from, to] = range(row)
      return open + Array.from({ length: to - from }, (_, i) => part(from + i)).join(", ") + close
    }
  }
}

function ranges(data: Data, size: number | undefined): (row: number) => [number, number] {
  if (size !== undefined) return (row) => [row * size, (row + 1) * size]
  const offsets: ArrayLike<number | bigint> = data.valueOffsets
  return (row) => [Number(offsets[row]), Number(offsets[row + 1])]
}

function asName(key: string | null): string {
  return key?.startsWith('"') ? key : JSON.stringify(key ?? "null")
}

function plainWriter(data: Data, context: ReadContext, refuse: (reason: string) => void): TextOf {
  const { vector, unfit } = readVector(data, context)
  const { kind } = vector.type
  const bare = BARE.has(kind)
  return (row) => {
    const reason = unfit.get(row)
    if (reason !== undefined) refuse(reason)
    const text = reason === undefined ? context.session.batches.valueText(vector, row) : null
    if (text === null) return null
    return bare && !/^-?(NaN|Infinity)$/.test(text) ? text : JSON.stringify(text)
  }
}

/** Kinds whose canonical text is JSON, NaN and infinity apart. */
const BARE: ReadonlySet<string> = new Set([
  ...["boolean", "int16", "int32", "int64", "uint64", "float32", "float64", "decimal"],
])
