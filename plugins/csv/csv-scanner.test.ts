import { expect, test } from "bun:test"
import type { Dialect } from "./csv-dialect.ts"
import { escaped, malformed, quoted, RecordScanner, type ScannerOptions, unescapeField } from "./csv-scanner.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const comma: Dialect = { delimiter: encoder.encode(","), quote: 34, escape: 34 }

interface Options {
  dialect?: Dialect
  trim?: boolean
  comment?: string
  skipLines?: number
  skipEmpty?: boolean
  maxFieldBytes?: number
  maxRowBytes?: number
}

/** A field as it was read: `Q:` was quoted, `M:` has text behind its closing quote. */
type Field = string

function scan(chunks: readonly Uint8Array[], options: Options = {}): { records: Field[][]; lines: number[] } {
  const records: Field[][] = []
  const lines: number[] = []
  const dialect = options.dialect ?? comma
  const settings: ScannerOptions = {
    dialect,
    trim: options.trim ?? false,
    comment: encoder.encode(options.comment ?? ""),
    skipLines: options.skipLines ?? 0,
    maxFieldBytes: options.maxFieldBytes ?? 1e6,
    maxRowBytes: options.maxRowBytes ?? 1e6,
    fail(problem, line): never {
      throw new Error(`${problem} in line ${line}`)
    },
  }
  const scanner = new RecordScanner(settings)
  scanner.skipEmpty = options.skipEmpty ?? true
  const drain = () => {
    while (scanner.next()) {
      const { bytes, starts, ends, marks, count } = scanner
      const record: Field[] = []
      for (let field = 0; field < count; field++) {
        const [start, end, mark] = [starts[field]!, ends[field]!, marks[field]!]
        let value = decoder.decode(bytes.subarray(start, end))
        if (mark & escaped) {
          const target = new Uint8Array(end - start)
          value = decoder.decode(target.subarray(0, unescapeField({ bytes, start, end, marks: mark }, dialect, target)))
        }
        record.push(mark & malformed ? `M:${value}` : mark & quoted ? `Q:${value}` : value)
      }
      records.push(record)
      lines.push(scanner.line)
    }
  }
  for (const chunk of chunks) {
    // A copy that is overwritten afterwards: the scanner must not look at it once it has asked for more.
    const copy = chunk.slice()
    scanner.feed(copy)
    drain()
    copy.fill(35)
  }
  scanner.finish()
  drain()
  return { records, lines }
}

function scanText(text: string, options?: Options) {
  return scan([encoder.encode(text)], options)
}

test("csv-scanner reads what RFC 4180 shows", () => {
  expect(scanText('aaa,bbb\r\n"b ""x""",c,\n"a\r\nb",\r,z').records).toEqual([
    ["aaa", "bbb"],
    ['Q:b "x"', "c", ""],
    ["Q:a\r\nb", ""],
    ["", "z"],
  ])
})

test("csv-scanner takes a quote inside an unquoted field literally", () => {
  expect(scanText('5" pipe,a"b"c\n').records).toEqual([['5" pipe', 'a"b"c']])
})

test("csv-scanner marks text behind a closing quote", () => {
  expect(scanText('"a"b,c\n"d",e\n"f" ,g"').records).toEqual([
    ['M:"a"b', "c"],
    ["Q:d", "e"],
    ['M:"f" ', 'g"'],
  ])
})

test("csv-scanner skips empty lines unless a line is the whole record", () => {
  expect(scanText("a,b\n\n\r\n\rc,d\n\n").records).toEqual([
    ["a", "b"],
    ["c", "d"],
  ])
  expect(scanText('a\n\n""\n', { skipEmpty: false }).records).toEqual([["a"], [""], ["Q:"]])
})

test("csv-scanner counts lines, those inside quotes too", () => {
  const { lines, records } = scanText('a\n"b\nc\r\nd\re"\r\nf\rg\n\n#x\nh', { comment: "#" })
  expect(records.map((record) => record[0])).toEqual(["a", "Q:b\nc\r\nd\re", "f", "g", "h"])
  expect(lines).toEqual([1, 2, 6, 7, 10])
})

test("csv-scanner drops comments and leading lines", () => {
  expect(scanText('report "x\r\nof today\n--c,"\na,--b\n', { comment: "--", skipLines: 2 }).records).toEqual([
    ["a", "--b"],
  ])
})

test("csv-scanner strips blanks around fields on request", () => {
  expect(scanText(' a b ,\t"c " , "d"\n', { trim: true }).records).toEqual([["a b", "Q:c ", "Q:d"]])
  const tab = { ...comma, delimiter: encoder.encode("\t") }
  expect(scanText(' a\t\t "b" \n', { trim: true, dialect: tab }).records).toEqual([["a", "", "Q:b"]])
})

test("csv-scanner reads delimiters of several bytes", () => {
  const dialect = { ...comma, delimiter: encoder.encode("||") }
  expect(scanText('a|b||"c||d"||\n"e"|f||g|', { dialect }).records).toEqual([
    ["a|b", "Q:c||d", ""],
    ['M:"e"|f', "g|"],
  ])
})

test("csv-scanner reads an escape character", () => {
  const dialect = { ...comma, escape: 92 }
  expect(scanText('"a\\"b\\\\","c\\d",e\\,f,\\N,g\\\nh\n', { dialect }).records).toEqual([
    ['Q:a"b\\', "Q:c\\d", "e,f", "\\N", "g\nh"],
  ])
})

test("csv-scanner reads without quotes", () => {
  expect(scanText('"a","b\n', { dialect: { ...comma, quote: -1, escape: -1 } }).records).toEqual([['"a"', '"b']])
})

test("csv-scanner stops at a quote that is never closed, with the line where it was opened", () => {
  expect(() => scanText('a\nb,"c\nd\n')).toThrow("quote in line 2")
  const endless = Array.from({ length: 100 }, () => new Uint8Array(1000).fill(120))
  expect(() => scan([encoder.encode('a\n\n"b'), ...endless], { maxFieldBytes: 5000 })).toThrow("quote in line 3")
  expect(() => scan([encoder.encode('a\n"b\n","c'), ...endless], { maxRowBytes: 5000 })).toThrow("quote in line 3")
})

test("csv-scanner stops at fields and records above their limit, however the chunks fall", () => {
  const bytes = encoder.encode("short\nlonger-than-ten,x\n")
  for (const size of [1, 3, 100]) {
    expect(() => scan(cut(bytes, size), { maxFieldBytes: 10 })).toThrow("field in line 2")
    expect(() => scan(cut(bytes, size), { maxRowBytes: 16 })).toThrow("row in line 2")
    expect(scan(cut(bytes, size), { maxFieldBytes: 15, maxRowBytes: 17 }).records).toHaveLength(2)
  }
})

test("csv-scanner gives the same records for a chunk border at every byte", () => {
  const bytes = encoder.encode('é,"a""b",\r\n"x\r\ny",,"z"\r\r\n"q"r,北京\n#c\r\n,"" \n"\n"\r')
  const whole = scan([bytes], { comment: "#" })
  expect(whole.records).toHaveLength(5)
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
      expect(scan(chunks, { comment: "#" })).toEqual(whole)
    }
  }
})

test("csv-scanner puts a record together that is far larger than a chunk", () => {
  const text = `a,"${"long ".repeat(20_000)}",z\nb,c,d\n`
  const { records } = scan(cut(encoder.encode(text), 777))
  expect(records[0]![1]).toHaveLength(100_002)
  expect(records[1]).toEqual(["b", "c", "d"])
})

test("csv-scanner agrees with a plain reading of random documents in random chunks", () => {
  const random = makeRandom(42)
  const dialects: Dialect[] = [
    comma,
    { ...comma, delimiter: encoder.encode("||") },
    { ...comma, escape: 92 },
    { delimiter: encoder.encode(";"), quote: -1, escape: 92 },
    { delimiter: encoder.encode("é"), quote: 39, escape: 39 },
  ]
  for (let round = 0; round < 3000; round++) {
    const dialect = dialects[round % dialects.length]!
    const options = { dialect, trim: random(2) === 0, skipEmpty: random(2) === 0, comment: random(3) === 0 ? "#" : "" }
    const pieces = [
      "a",
      "bc",
      " ",
      "\t",
      "\n",
      "\r",
      "\r\n",
      '"',
      '""',
      "'",
      "\\",
      "|",
      "||",
      ";",
      ",",
      "é",
      "è",
      "北",
      "#",
    ]
    let text = ""
    for (let length = random(30); length > 0; length--) text += pieces[random(pieces.length)]
    const bytes = encoder.encode(text)
    const chunks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random(9)
      chunks.push(bytes.subarray(at, at + size))
      at += size
    }
    expect({ text: JSON.stringify(text), round, records: outcome(() => scan(chunks, options).records) }).toEqual({
      text: JSON.stringify(text),
      round,
      records: outcome(() => readPlainly(text, options)),
    })
  }
})

function outcome(read: () => Field[][]): Field[][] | string {
  try {
    return read()
  } catch (error) {
    return String(error)
  }
}

/** Reads a whole document character by character, with no eye on speed. */
function readPlainly(text: string, options: { dialect: Dialect; trim: boolean; skipEmpty: boolean; comment: string }) {
  const delimiter = decoder.decode(options.dialect.delimiter)
  const quote = options.dialect.quote < 0 ? undefined : String.fromCharCode(options.dialect.quote)
  const mark = options.dialect.escape < 0 ? undefined : String.fromCharCode(options.dialect.escape)
  const isBlank = (at: number) => options.trim && (text[at] === " " || text[at] === "\t") && text[at] !== delimiter[0]
  const lineEnd = (at: number) => (text.startsWith("\r\n", at) ? 2 : text[at] === "\n" || text[at] === "\r" ? 1 : 0)
  const atEnd = (at: number) => at >= text.length || lineEnd(at) > 0 || text.startsWith(delimiter, at)
  const records: Field[][] = []
  let at = 0
  while (at < text.length) {
    if (options.comment !== "" && text.startsWith(options.comment, at)) {
      while (at < text.length && lineEnd(at) === 0) at++
      at += lineEnd(at)
      continue
    }
    if (options.skipEmpty && lineEnd(at) > 0) {
      at += lineEnd(at)
      continue
    }
    const record: Field[] = []
    for (;;) {
      while (isBlank(at)) at++
      const opened = at
      let field: Field | undefined
      if (quote !== undefined && text[at] === quote) {
        let value = ""
        for (at++; ; at++) {
          if (at >= text.length) {
            const line = text.slice(0, opened).split(/\r\n|\r|\n/).length
            throw new Error(`quote in line ${line}`)
          }
          if (mark !== quote && text[at] === mark && (text[at + 1] === quote || text[at + 1] === mark))
            value += text[++at]
          else if (text[at] !== quote) value += text[at]
          else if (mark === quote && text[at + 1] === quote) value += text[++at]
          else break
        }
        at++
        while (isBlank(at)) at++
        if (atEnd(at)) field = `Q:${value}`
      }
      if (field === undefined) {
        // Text behind the closing quote: from the opening quote on, the field is as it stands in the file.
        const behind = at > opened
        let value = text.slice(opened, at)
        while (!atEnd(at)) {
          const following = text[at + 1] ?? "none"
          if (text[at] === mark && mark !== quote && [mark, quote, delimiter[0], "\n", "\r"].includes(following)) {
            value += behind ? mark + following : following
            at += 2
          } else value += text[at++]
        }
        if (options.trim) value = trimEnd(value, delimiter)
        field = behind ? `M:${value}` : value
      }
      record.push(field)
      if (text.startsWith(delimiter, at)) {
        at += delimiter.length
        continue
      }
      at += lineEnd(at)
      break
    }
    records.push(record)
  }
  return records
}

function trimEnd(value: string, delimiter: string): string {
  let end = value.length
  while (end > 0 && (value[end - 1] === " " || value[end - 1] === "\t") && value[end - 1] !== delimiter[0]) end--
  return value.slice(0, end)
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}

/** Numbers below a limit, the same in every run. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
}
