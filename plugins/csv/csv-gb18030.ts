/**
 * The characters of GBK and GB 18030, asked of the platform's decoder, so that reading and writing cannot disagree and
 * no table is shipped. Built at first use.
 */
let table: Uint16Array | undefined
let reverse: Uint16Array | undefined
let fourByte: Uint16Array | undefined

/** Code points of all two-byte sequences, at `(lead - 0x81) * 192 + trail - 0x40`; 0 where there is none. */
export function gbTable(): Uint16Array {
  if (table !== undefined) return table
  table = new Uint16Array(126 * 192)
  const sequences = new Uint8Array(table.length * 3)
  for (let index = 0; index < table.length; index++) {
    sequences[index * 3] = 0x81 + Math.floor(index / 192)
    sequences[index * 3 + 1] = 0x40 + (index % 192)
    sequences[index * 3 + 2] = 10
  }
  decodeLines(sequences).forEach((text, index) => {
    if (text.length === 1 && text !== "\ufffd") table![index] = text.charCodeAt(0)
  })
  return table
}

/** The bytes of a code point above 127, the first one highest; 0 when there are none. Four bytes only on request. */
export function gbBytes(code: number, four: boolean): number {
  if (code > 0xffff) return four ? fromPointer(189_000 + code - 0x10000) : 0
  reverse ??= reverseTable(gbTable(), (index) => ((0x81 + Math.floor(index / 192)) << 8) | (0x40 + (index % 192)))
  const two = reverse[code]!
  if (two !== 0 || !four) return two
  fourByte ??= fourByteTable()
  const pointer = fourByte[code]!
  return pointer === 0 ? 0 : fromPointer(pointer - 1)
}

/** For each code point of the first plane, one more than its four-byte sequence's position; 0 where there is none. */
function fourByteTable(): Uint16Array {
  const count = 39_420
  const sequences = new Uint8Array(count * 5)
  for (let pointer = 0; pointer < count; pointer++) {
    const bytes = fromPointer(pointer)
    for (let index = 0; index < 4; index++) sequences[pointer * 5 + index] = (bytes >>> (24 - index * 8)) & 255
    sequences[pointer * 5 + 4] = 10
  }
  const codes = new Uint16Array(count)
  decodeLines(sequences).forEach((text, pointer) => {
    if (text.length === 1 && text !== "\ufffd") codes[pointer] = text.charCodeAt(0)
  })
  return reverseTable(codes, (pointer) => pointer + 1)
}

function reverseTable(codes: Uint16Array, value: (index: number) => number): Uint16Array {
  const result = new Uint16Array(65_536)
  for (let index = codes.length - 1; index >= 0; index--) if (codes[index] !== 0) result[codes[index]!] = value(index)
  return result
}

function fromPointer(pointer: number): number {
  const bytes = [
    0x81 + Math.floor(pointer / 12_600),
    0x30 + (Math.floor(pointer / 1260) % 10),
    0x81 + (Math.floor(pointer / 10) % 126),
    0x30 + (pointer % 10),
  ]
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}

function decodeLines(sequences: Uint8Array): string[] {
  return new TextDecoder("gb18030").decode(sequences).split("\n")
}
