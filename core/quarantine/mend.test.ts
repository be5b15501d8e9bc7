import { expect, test } from "bun:test"
import { type Assignment, columnsRead, mend, parseAssignment } from "./mend.ts"

function assignment(text: string): Assignment {
  const result = parseAssignment(text)
  if ("fault" in result) throw new Error(`${result.at}: ${result.fault}`)
  return result
}

const ROW = { id: " 7 ", name: "O'Neil", "a b": "x", none: null, größe: "1,5" }

test.each([
  ["id = 'text'", "text"],
  ["id='it''s'", "it's"],
  ["id = ''", ""],
  ["id = 12", "12"],
  ["id = -1.50", "-1.50"],
  ["id = 9007199254740993", "9007199254740993"],
  ["id = .5e-3", ".5e-3"],
  ["id = null", null],
  ["id = NULL", null],
  ["id = name", "O'Neil"],
  ['id = "a b"', "x"],
  ["id = trim(id)", "7"],
  ["id = TRIM ( id )", "7"],
  ["id = replace(größe, ',', '.')", "1.5"],
  ["id = replace(name, '', 'x')", "O'Neil"],
  ["id = replace(name, 'O', '$&$1')", "$&$1'Neil"],
  ["id = replace(trim(id), 7, name)", "O'Neil"],
  ["id = trim(id) || '-' || name", "7-O'Neil"],
  ["id = (trim(id) || 'x') || 1", "7x1"],
  ["id = 'a' || none", null],
  ["id = trim(none)", null],
  ["id = replace(name, none, 'x')", null],
  ["id = missing", null],
  ["id = toString", null],
])("mend understands %s", (text, expected) => {
  expect(mend(ROW, [assignment(text)])).toEqual({ ...ROW, id: expected })
})

test("mend makes every new value from the row as it was, and may add a column", () => {
  const record = { a: "1", b: "2" }
  expect(mend(record, [assignment("a = b"), assignment("b = a"), assignment('"c d" = a || b')])).toEqual({
    a: "2",
    b: "1",
    "c d": "12",
  })
  expect(record).toEqual({ a: "1", b: "2" })
  expect(mend(record, [])).toBe(record)
})

test("mend takes the name of the column as it is quoted", () => {
  expect(assignment('"say ""hi""" = 1').column).toBe('say "hi"')
  expect(assignment("größe = 1").column).toBe("größe")
})

test("mend tells which columns are read", () => {
  const assignments = ["a = trim(b) || c", "d = replace(e, f, 'x')", "g = 'b' || 1 || null || b"].map(assignment)
  expect(columnsRead(assignments)).toEqual(["b", "c", "e", "f"])
})

test.each([
  ["", 1, "the name of a column is missing"],
  ["id", 3, '"=" is missing'],
  ["id =", 5, "a value is missing: write 'text', a number, NULL, a column, trim(…) or replace(…)"],
  ["id = 'open", 6, `"'open" is no value: write 'text', a number, NULL, a column, trim(…) or replace(…)`],
  ["id = 1 2", 8, '"2" is not understood'],
  ["id = 12x", 6, `"12x" is no value: write 'text', a number, NULL, a column, trim(…) or replace(…)`],
  ["id = upper(name)", 6, 'there is no function "upper": there are trim and replace'],
  ["id = trim(name", 15, '")" is missing'],
  ["id = trim(name, 'x')", 15, '")" is missing'],
  ["id = replace(name, 'x')", 23, '"," is missing'],
  ["id = name ||", 13, "a value is missing: write 'text', a number, NULL, a column, trim(…) or replace(…)"],
  ["id = name | 'x'", 11, "\"| 'x'\" is not understood"],
  ["id = name + 1", 11, '"+ 1" is not understood'],
])("mend refuses %s with the place of the fault", (text, at, fault) => {
  expect(parseAssignment(text)).toEqual({ fault, at })
})
