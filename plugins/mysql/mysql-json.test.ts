import { expect, test } from "bun:test"
import { columnsAsKept, keepsNumbers } from "./mysql-json.ts"

function kept(json: string): boolean {
  const data = new TextEncoder().encode(`x${json}x`)
  return keepsNumbers(data, 1, data.length - 1)
}

test.each([
  "1",
  "-0",
  "[0.1, -2.50, 1e5, 1.7976931348623157e308, 5e-324]",
  "9223372036854775807",
  "18446744073709551615",
  "-9223372036854775808",
  '{"12345678901234567890123": "0.12345678901234567890123", "a\\"": "\\\\"}',
  "0.30000000000000004",
  "100000000000000000000",
  "0.000000000000000000000000000001",
  "1234567890123450.00000",
  "true",
  "",
])("mysql keeps the numbers of %s as JSON", (json) => {
  expect(kept(json)).toBe(true)
})

test.each([
  "18446744073709551616.5",
  "18446744073709551617",
  "-9223372036854775809",
  "0.12345678901234567890",
  '{"a": [1, {"b": 123456789012345678901234567890.10}]}',
  "1e400",
  "1e-400",
  "1.00000000000000000001",
  '["\\"", 3.14159265358979323846]',
])("mysql would round a number of %s", (json) => {
  expect(kept(json)).toBe(false)
})

test("mysql takes JSON of MariaDB for the text that it is", () => {
  const column = {
    name: "j",
    type: { kind: "json" },
    nullable: true,
    native: { system: "mysql", type: "json" },
    generated: false,
    identity: false,
    hasDefault: false,
  } as const
  expect(columnsAsKept([column], { mariadb: true })[0]?.native?.type).toBe("longtext")
  expect(columnsAsKept([column], { mariadb: false })[0]?.native?.type).toBe("json")
})
