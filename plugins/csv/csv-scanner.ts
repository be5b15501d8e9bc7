import type { Dialect } from "./csv-dialect.ts"

/** What is known of a field besides its place: bits in {@link RecordScanner.marks}. */
export const quoted = 1
/** The field holds escapes: its value is what {@link unescapeField} makes of it. */
export const escaped = 2
/** Text follows the closing quote. The field's place then includes its quotes. */
export const malformed = 4
/** The field holds bytes above 127. */
export const high = 8

export interface ScannerOptions {
  readonly dialect: Dialect
  /** Strips spaces and tabs around fields. */
  readonly trim: boolean
  /** Records that start so are comments; empty: none do. */
  readonly comment: Uint8Array
  /** Lines to drop before the first record; quotes mean nothing in them. */
  readonly skipLines: number
  readonly maxFieldBytes: number
  readonly maxRowBytes: number
  /** Ends the scan: `problem` completes a sentence about the line. */
  fail(problem: "quote" | "field" | "row", line: number): never
}

const atRecord = 0
const atField = 1
const inPlain = 2
const inQuotes = 3
const afterQuotes = 4
const inComment = 5

// Classes of bytes. Those below `stop` are bits that are gathered into the field's marks.
const stop = 16
const delimiterStop = 16
const lineFeed = 32
const carriageReturn = 48
const quoteStop = 64
const escapeStop = 80

/** What of a new chunk is first joined to an unfinished record: enough for most records, little to copy. */
const firstJoin = 4096

/**
 * Cuts bytes into records and fields without copying them: only a record that crosses chunks is put together.
 *
 * ```ts
 * for await (const chunk of chunks) {
 *   scanner.feed(chunk)
 *   while (scanner.next()) use(scanner.bytes, scanner.starts, scanner.ends, scanner.marks, scanner.count)
 * }
 * scanner.finish()
 * while (scanner.next()) …
 * ```
 *
 * Fields are valid until the next call. Every byte is looked at once, however the chunks fall.
 */
export class RecordScanner {
  /** Holds the current record. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Fields of the current record. */
  count = 0
  starts: Int32Array = new Int32Array(64)
  ends: Int32Array = new Int32Array(64)
  marks: Uint8Array = new Uint8Array(64)
  /** What is known of any field of the current record. */
  recordMarks = 0
  /** Line on which the current record starts, counted from 1. */
  line = 1
  /** Where the current record starts and ends in `bytes`, without its line end. */
  recordStart = 0
  recordEnd = 0
  /** Whether lines without a byte are dropped, or are records with one empty field. */
  skipEmpty = true

  #options: ScannerOptions
  #plain: Uint8Array
  #inside: Uint8Array
  #skip: number
  #at = 0
  #end = 0
  #state = atRecord
  #flags = 0
  #start = 0
  #closed = 0
  #nextLine = 1
  #quoteLine = 1
  #final = false
  /** Memory for records that cross chunks. */
  #joint = new Uint8Array(0)
  /** The chunk whose beginning stands in the joint, and what of `bytes` stands before it. */
  #chunk: Uint8Array | undefined
  #before = 0

  constructor(options: ScannerOptions) {
    this.#options = options
    this.#skip = options.skipLines
    const { delimiter, quote, escape: escapeByte } = options.dialect
    this.#plain = byteClasses()
    this.#plain[10] = lineFeed
    this.#plain[13] = carriageReturn
    this.#plain[delimiter[0]!] = delimiterStop
    if (escapeByte >= 0 && escapeByte !== quote) this.#plain[escapeByte] = escapeStop
    this.#inside = byteClasses()
    this.#inside[10] = lineFeed
    this.#inside[13] = carriageReturn
    if (escapeByte >= 0 && escapeByte !== quote) this.#inside[escapeByte] = escapeStop
    if (quote >= 0) this.#inside[quote] = quoteStop
  }

  /** Hands over the next bytes, once `next` has returned false. They are not kept after `next` returns false again. */
  feed(chunk: Uint8Array): void {
    if (this.#end === 0) {
      this.bytes = chunk
      this.#end = chunk.length
      return
    }
    this.#before = this.#end
    this.#chunk = chunk
    this.#join(0, Math.min(firstJoin, chunk.length))
  }

  /** Says that no bytes follow. */
  finish(): void {
    this.#final = true
  }

  /** Moves to the next record. False: more bytes are needed, or there are none. */
  next(): boolean {
    for (;;) {
      if (this.#chunk !== undefined && this.#state === atRecord && this.#at >= this.#before)
        this.#leaveJoint(this.#chunk)
      if (this.#scan()) {
        if (this.recordEnd - this.recordStart > this.#options.maxFieldBytes) this.#checkFields()
        if (this.recordEnd - this.recordStart > this.#options.maxRowBytes) this.#options.fail("row", this.line)
        return true
      }
      if (this.#chunk === undefined) break
      if (this.recordStart >= this.#before) {
        this.#leaveJoint(this.#chunk)
        continue
      }
      const joined = this.#end - this.#before
      if (joined === this.#chunk.length) {
        this.#chunk = undefined
        break
      }
      this.#join(joined, this.#chunk.length)
    }
    this.#keepTail()
    return false
  }

  /** Appends a part of the chunk to the joint, which already holds what stands before it. */
  #join(from: number, to: number): void {
    const size = this.#end + to - from
    if (this.#joint.length < size) {
      const larger = new Uint8Array(Math.max(size * 2, 65_536))
      larger.set(this.#joint.subarray(0, this.#end))
      this.#joint = larger
    }
    this.#joint.set(this.#chunk!.subarray(from, to), this.#end)
    this.bytes = this.#joint
    this.#end = size
  }

  #leaveJoint(chunk: Uint8Array): void {
    this.bytes = chunk
    this.#end = chunk.length
    this.#chunk = undefined
    this.#shift(this.#before)
  }

  #shift(by: number): void {
    this.#at -= by
    this.#start -= by
    this.#closed -= by
    this.recordStart -= by
    for (let field = 0; field < this.count && field < this.starts.length; field++) {
      this.starts[field]! -= by
      this.ends[field]! -= by
    }
  }

  /** Copies the unfinished record, so that the chunk is free. */
  #keepTail(): void {
    const { maxFieldBytes, maxRowBytes, fail } = this.#options
    const length = this.#end - this.recordStart
    if (this.#state === inQuotes && this.#at - this.#start > maxFieldBytes) fail("quote", this.#quoteLine)
    if (this.#state === inPlain && this.#at - this.#start > maxFieldBytes) fail("field", this.line)
    if (length > maxRowBytes)
      fail(this.#state === inQuotes ? "quote" : "row", this.#state === inQuotes ? this.#quoteLine : this.line)
    if (length > 0 && (this.bytes !== this.#joint || this.recordStart > 0)) {
      if (this.#joint.length < length) this.#joint = new Uint8Array(Math.max(length * 2, 65_536))
      this.#joint.set(this.bytes.subarray(this.recordStart, this.#end))
    }
    this.#shift(this.recordStart)
    this.bytes = this.#joint
    this.#end = length
  }

  #checkFields(): void {
    for (let field = 0; field < this.count && field < this.starts.length; field++) {
      if (this.ends[field]! - this.starts[field]! > this.#options.maxFieldBytes) this.#options.fail("field", this.line)
    }
  }

  #suspend(at: number, state: number, flags: number, start: number): false {
    this.#at = at
    this.#state = state
    this.#flags = flags
    this.#start = start
    return false
  }

  #put(start: number, end: number, flags: number): void {
    const field = this.count++
    if (field >= this.starts.length) {
      this.starts = grown(this.starts, new Int32Array(field * 2))
      this.ends = grown(this.ends, new Int32Array(field * 2))
      this.marks = grown(this.marks, new Uint8Array(field * 2))
    }
    this.starts[field] = start
    this.ends[field] = end
    this.marks[field] = flags
    this.recordMarks |= flags
  }

  #scan(): boolean {
    const { dialect, trim, comment } = this.#options
    const { delimiter, quote, escape: escapeByte } = dialect
    const bytes = this.bytes
    const end = this.#end
    const final = this.#final
    const plain = this.#plain
    const inside = this.#inside
    let at = this.#at
    let state = this.#state
    let flags = this.#flags
    let start = this.#start
    for (;;) {
      let kind = 0
      if (state === atRecord) {
        this.recordStart = at
        this.count = 0
        this.recordMarks = 0
        this.line = this.#nextLine
        if (at >= end) return this.#suspend(at, state, 0, at)
        if (this.#skip > 0) {
          this.#skip--
          state = inComment
          continue
        }
        if (comment.length > 0) {
          const found = this.#match(comment, at)
          if (found < 0) return this.#suspend(at, state, 0, at)
          if (found > 0) {
            state = inComment
            continue
          }
        }
        const first = bytes[at]!
        if (this.skipEmpty && (first === 10 || first === 13)) {
          state = inComment
          continue
        }
        state = atField
      }
      if (state === inComment) {
        while (at < end && bytes[at] !== 10 && bytes[at] !== 13) at++
        this.recordStart = at
        if (at >= end || (bytes[at] === 13 && at + 1 >= end && !final)) return this.#suspend(at, state, 0, at)
        at += bytes[at] === 13 && at + 1 < end && bytes[at + 1] === 10 ? 2 : 1
        this.#nextLine++
        state = atRecord
        continue
      }
      if (state === atField) {
        if (trim) while (at < end && isBlank(bytes[at]!, delimiter)) at++
        if (at >= end && !final) return this.#suspend(at, state, 0, at)
        flags = 0
        start = at
        if (at < end && bytes[at] === quote) {
          flags = quoted
          start = ++at
          this.#quoteLine = this.#nextLine
          state = inQuotes
        } else state = inPlain
      }
      if (state === inQuotes) {
        for (; at < end; at++) {
          kind = inside[bytes[at]!]!
          if (kind >= stop) break
          flags |= kind
        }
        if (at >= end) {
          if (final) this.#options.fail("quote", this.#quoteLine)
          return this.#suspend(at, state, flags, start)
        }
        if (kind === lineFeed) {
          if (bytes[at - 1] !== 13) this.#nextLine++
          at++
          continue
        }
        if (kind === carriageReturn) {
          this.#nextLine++
          at++
          continue
        }
        if (at + 1 >= end && !final) return this.#suspend(at, state, flags, start)
        const following = at + 1 < end ? bytes[at + 1]! : -1
        if (kind === escapeStop) {
          const escapes = following === quote || following === escapeByte
          if (escapes) flags |= escaped
          at += escapes ? 2 : 1
          continue
        }
        if (escapeByte === quote && following === quote) {
          flags |= escaped
          at += 2
          continue
        }
        this.#closed = at++
        state = afterQuotes
      }
      let fieldEnd = this.#closed
      if (state === afterQuotes) {
        if (trim) while (at < end && isBlank(bytes[at]!, delimiter)) at++
        if (at >= end && !final) return this.#suspend(at, state, flags, start)
        if (at < end) {
          kind = plain[bytes[at]!]!
          if (kind !== delimiterStop && kind !== lineFeed && kind !== carriageReturn) {
            flags = (flags & high) | malformed
            start--
            state = inPlain
          }
        }
      }
      if (state === inPlain) {
        for (; at < end; at++) {
          kind = plain[bytes[at]!]!
          if (kind >= stop) break
          flags |= kind
        }
        if (at >= end && !final) return this.#suspend(at, state, flags, start)
        fieldEnd = at
      }
      if (at >= end) {
        this.#finishField(start, fieldEnd, flags, at)
        this.#suspend(at, atRecord, 0, at)
        return true
      }
      if (kind === delimiterStop) {
        const found = delimiter.length === 1 ? 1 : this.#match(delimiter, at)
        if (found < 0) return this.#suspend(at, state, flags, start)
        if (found > 0) {
          this.#finishField(start, fieldEnd, flags, at)
          at += delimiter.length
          state = atField
          continue
        }
        if (state === afterQuotes) {
          flags = (flags & high) | malformed
          start--
          state = inPlain
        }
        if (bytes[at]! > 127) flags |= high
        at++
        continue
      }
      if (at + 1 >= end && !final && kind !== lineFeed) return this.#suspend(at, state, flags, start)
      if (kind === escapeStop) {
        const following = at + 1 < end ? bytes[at + 1]! : -1
        if (following >= 0 && escapesInPlain(following, dialect)) {
          if (following === 10 || following === 13) this.#nextLine++
          if (following > 127) flags |= high
          if ((flags & malformed) === 0) flags |= escaped
          at++
        }
        at++
        continue
      }
      this.#finishField(start, fieldEnd, flags, at)
      // Only an escaped carriage return can stand before the line feed here, and has been counted.
      if (kind === carriageReturn || at === 0 || bytes[at - 1] !== 13) this.#nextLine++
      at += kind === carriageReturn && at + 1 < end && bytes[at + 1] === 10 ? 2 : 1
      this.#suspend(at, atRecord, 0, at)
      return true
    }
  }

  #finishField(start: number, fieldEnd: number, flags: number, at: number): void {
    let end = fieldEnd
    if (this.#options.trim && (flags & quoted) === 0) {
      while (end > start && isBlank(this.bytes[end - 1]!, this.#options.dialect.delimiter)) end--
    }
    this.#put(start, end, flags)
    this.recordEnd = at
  }

  /** 1: `wanted` stands at `at`; 0: it does not; -1: more bytes are needed to tell. */
  #match(wanted: Uint8Array, at: number): number {
    for (let index = 0; index < wanted.length; index++) {
      if (at + index >= this.#end) return this.#final ? 0 : -1
      if (this.bytes[at + index] !== wanted[index]) return 0
    }
    return 1
  }
}

/** Writes the value of an `escaped` field to `target`, which has room for the field; returns its length. */
export function unescapeField(
  field: { readonly bytes: Uint8Array; readonly start: number; readonly end: number; readonly marks: number },
  dialect: Dialect,
  target: Uint8Array,
): number {
  const { bytes, end } = field
  const { quote, escape: escapeByte } = dialect
  const isQuoted = (field.marks & quoted) !== 0
  let length = 0
  for (let at = field.start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === escapeByte && at + 1 < end) {
      const following = bytes[at + 1]!
      if (isQuoted ? following === quote || following === escapeByte : escapesInPlain(following, dialect)) at++
    }
    target[length++] = bytes[at]!
  }
  return length
}

function escapesInPlain(following: number, dialect: Dialect): boolean {
  return (
    following === dialect.escape ||
    following === dialect.quote ||
    following === dialect.delimiter[0] ||
    following === 10 ||
    following === 13
  )
}

function isBlank(byte: number, delimiter: Uint8Array): boolean {
  return (byte === 32 || byte === 9) && byte !== delimiter[0]
}

function byteClasses(): Uint8Array {
  return new Uint8Array(256).fill(high, 128)
}

function grown<A extends Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from)
  return to
}
