import { expect, test } from "bun:test"
import { readJson } from "./json-position.ts"

function fault(text: string): string {
  const result = readJson(text)
  if ("value" in result) return "none"
  return `${result.fault.line}:${result.fault.column} ${result.fault.message}`
}

test("json-position reads what JSON is", () => {
  for (const text of ["{}", "[]", "null", " -1.5e+10 ", '"\\u00e9"', '\uFEFF{"a":[1,{"b":null}]}', '{"__proto__":1}']) {
    expect(readJson(text)).toEqual({ value: JSON.parse(text.replace("\uFEFF", "")) })
  }
})

const malformed: readonly (readonly [string, string])[] = [
  ["", "1:1 the document ends where a value is expected"],
  ["  \n ", "2:2 the document ends where a value is expected"],
  ["\uFEFF{", "1:2 the document ends where a name in double quotes is expected"],
  ["{", "1:2 the document ends where a name in double quotes is expected"],
  ['{"a"', "1:5 the document ends where a colon is expected"],
  ['{"a" 1}', '1:6 found "1" where a colon is expected'],
  ['{"a":', "1:6 the document ends where a value is expected"],
  ['{"a":1', '1:7 the document ends where a comma or "}" is expected'],
  ['{"a":1 "b":2}', '1:8 found "\\"" where a comma or "}" is expected'],
  ['{"a":1,}', '1:8 a comma stands before "}"'],
  ["[1,]", '1:4 a comma stands before "]"'],
  ["[1 2]", '1:4 found "2" where a comma or "]" is expected'],
  ["[1}", '1:3 found "}" where a comma or "]" is expected'],
  ["[,1]", '1:2 found "," where a value is expected'],
  ["{a:1}", '1:2 found "a" where a name in double quotes is expected'],
  ["{'a':1}", `1:2 found "'" where a name in double quotes is expected`],
  ["{\"a\":'b'}", "1:6 strings are written in double quotes"],
  ['{"a":tru}', '1:6 found "t" where a value is expected'],
  ['{"a":True}', '1:6 found "T" where a value is expected'],
  ['{"a":undefined}', '1:6 found "u" where a value is expected'],
  ['{"a":NaN}', '1:6 found "N" where a value is expected'],
  ["[01]", '1:2 found "0" where a value is expected'],
  ["[+1]", '1:2 found "+" where a value is expected'],
  ["[1.]", '1:2 found "1" where a value is expected'],
  ["[.5]", '1:2 found "." where a value is expected'],
  ["[1e]", '1:2 found "1" where a value is expected'],
  ["[0x1]", '1:2 found "0" where a value is expected'],
  ['{"a":"b', "1:6 this string is not closed"],
  ['["a\nb"]', "1:4 a line break or control character stands inside a string"],
  ['["a\tb"]', "1:4 a line break or control character stands inside a string"],
  ['["\\x"]', "1:3 this escape does not exist"],
  ['["\\u12"]', "1:3 this escape does not exist"],
  ['{\n  "a": 1,\n  "b": [1, 2,, 3]\n}', '3:14 found "," where a value is expected'],
  ['{"a":1} {"b":2}', '1:9 found "{" after the end of the document'],
  ["{} // done", '1:4 found "/" after the end of the document'],
  ['{\r\n"a": /* x */ 1}', '2:6 found "/" where a value is expected'],
  [`[${"1".repeat(1000)},x]`, '1:1003 found "x" where a value is expected'],
]
for (const [text, expected] of malformed) {
  test(`json-position finds the fault in ${JSON.stringify(text.slice(0, 40))}`, () => {
    expect(fault(text)).toBe(expected)
  })
}

test("json-position finds a fault wherever JSON.parse does, at or before the letter that was changed", () => {
  const good = '{"a": [1, -2.5e3, "x\\n\\u00e9", true, null], "b": {"c": false}}'
  let faults = 0
  for (let at = 0; at < good.length; at++) {
    for (const letter of ["", "{", "}", "[", "]", ",", ":", '"', "\\", "'", "0", "e", ".", "-", "\n", "\u0001", "😀"]) {
      const text = good.slice(0, at) + letter + good.slice(at + 1)
      const result = readJson(text)
      if ("value" in result) continue
      faults++
      expect(result.fault.message).not.toBe("malformed JSON")
      expect(result.fault.column).toBeGreaterThan(0)
    }
  }
  expect(faults).toBeGreaterThan(500)
})

test("json-position refuses nesting that is too deep instead of falling over", () => {
  expect(fault("[".repeat(250_000))).toBe("1:1001 values are nested too deeply, 1000 levels are the most")
  expect(fault(`${"[".repeat(250_000)}${"]".repeat(250_000)}`)).toContain("nested too deeply")
  expect(fault('{"a":'.repeat(80_000))).toContain("nested too deeply")
  expect(fault(`${"[".repeat(1000)}${"]".repeat(1000)}`)).toBe("none")
})

test("json-position does not count what stands in strings as levels", () => {
  const text = JSON.stringify(["[".repeat(5000), '\\"['.repeat(5000)])
  expect(readJson(text)).toEqual({ value: JSON.parse(text) })
  expect(fault(`"${'\\"['.repeat(100_000)}`)).toBe("1:1 this string is not closed")
})
