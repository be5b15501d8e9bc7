/** Where a JSON document breaks off, and why. Lines and columns count from 1; columns are UTF-16 code units. */
export interface JsonFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

export type JsonResult = { readonly value: unknown } | { readonly fault: JsonFault }

/** Reads a JSON document; the engines' own messages have no common form and often no position. */
export function readJson(source: string, mostLevels = MOST_LEVELS): JsonResult {
  const text = source.replace(/^\uFEFF/, "")
  const deep = tooDeep(text, mostLevels)
  if (deep !== undefined) return faultAt(text, deep, `values are nested too deeply, ${mostLevels} levels are the most`)
  try {
    return { value: JSON.parse(text) }
  } catch {
    const scanner = new Scanner(text)
    const message = scanner.document()
    return faultAt(text, scanner.at, message)
  }
}

/** Enough for every flow, and little enough for everything that walks a document. */
const MOST_LEVELS = 1000

/** Where a document has more levels than that. */
function tooDeep(text: string, mostLevels: number): number | undefined {
  let level = 0
  let isString = false
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]
    if (letter === '"') isString = !isString
    else if (isString) {
      if (letter === "\\") at++
    } else if (letter === "[" || letter === "{") {
      if (++level > mostLevels) return at
    } else if (letter === "]" || letter === "}") level--
  }
  return undefined
}

function faultAt(text: string, at: number, message: string): JsonResult {
  const before = text.slice(0, at).split("\n")
  return { fault: { line: before.length, column: before.at(-1)!.length + 1, message } }
}

const WORD = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y

class Scanner {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Stops at the first fault and says what it is. */
  document(): string {
    const fault = this.#value()
    if (fault !== undefined) return fault
    this.#space()
    return this.at < this.text.length ? `${this.#seen()} after the end of the document` : "malformed JSON"
  }

  #space(): void {
    while (/[ \n\r\t]/.test(this.text[this.at] ?? "")) this.at++
  }

  #seen(): string {
    const letter = this.text.codePointAt(this.at)
    return letter === undefined ? "the document ends" : `found ${JSON.stringify(String.fromCodePoint(letter))}`
  }

  #value(): string | undefined {
    this.#space()
    const letter = this.text[this.at]
    if (letter === "{") return this.#members("}")
    if (letter === "[") return this.#members("]")
    if (letter === '"') return this.#string()
    WORD.lastIndex = this.at
    const word = WORD.exec(this.text)
    if (word === null)
      return letter === "'" ? "strings are written in double quotes" : `${this.#seen()} where a value is expected`
    this.at += word[0].length
    return undefined
  }

  #members(close: string): string | undefined {
    this.at++
    this.#space()
    if (this.text[this.at] === close) {
      this.at++
      return undefined
    }
    for (;;) {
      const fault = close === "}" ? this.#member() : this.#value()
      if (fault !== undefined) return fault
      this.#space()
      const letter = this.text[this.at]
      if (letter === close) {
        this.at++
        return undefined
      }
      if (letter !== ",") return `${this.#seen()} where a comma or "${close}" is expected`
      this.at++
      this.#space()
      if (this.text[this.at] === close) return `a comma stands before "${close}"`
    }
  }

  #member(): string | undefined {
    this.#space()
    if (this.text[this.at] !== '"') return `${this.#seen()} where a name in double quotes is expected`
    const fault = this.#string()
    if (fault !== undefined) return fault
    this.#space()
    if (this.text[this.at] !== ":") return `${this.#seen()} where a colon is expected`
    this.at++
    return this.#value()
  }

  #string(): string | undefined {
    const start = this.at
    for (this.at++; this.at < this.text.length; this.at++) {
      const letter = this.text[this.at]!
      if (letter === '"') {
        this.at++
        return undefined
      }
      if (letter === "\\") {
        if (!/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(this.text.slice(this.at, this.at + 6)))
          return "this escape does not exist"
        this.at++
      } else if (letter < " ") return "a line break or control character stands inside a string"
    }
    this.at = start
    return "this string is not closed"
  }
}
