/** Where a JSON document breaks off, and why. Lines and columns count from 1; columns are UTF-16 code units. */
export interface JsonFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

export type JsonResult = { readonly value: unknown } | { readonly fault: JsonFault }

/** Reads a JSON document; the engines' own messages have no common form and often no position. */
export function readJson(text: string): JsonResult {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, "")) }
  } catch {
    const scanner = new Scanner(text.replace(/^\uFEFF/, ""))
    const message = scanner.document()
    const before = scanner.text.slice(0, scanner.at).split("\n")
    return { fault: { line: before.length, column: before.at(-1)!.length + 1, message } }
  }
}

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
    const letter = this.text[this.at]
    return letter === undefined ? "the document ends" : `found ${JSON.stringify(letter)}`
  }

  #value(): string | undefined {
    this.#space()
    const letter = this.text[this.at]
    if (letter === "{") return this.#members("}")
    if (letter === "[") return this.#members("]")
    if (letter === '"') return this.#string()
    const word = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/.exec(
      this.text.slice(this.at, this.at + 400),
    )
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
