import { describe, expect, test } from "bun:test"
import { escapeTemplates, scanTemplates } from "./template.ts"

describe("parameters find templates", () => {
  test.each([
    ["", []],
    ["plain $ text $5 $a", ["plain $ text $5 $a"]],
    ["${a}", [{ key: "a" }]],
    ["${ a }", [{ key: "a" }]],
    ["x_${a}_${b}", ["x_", { key: "a" }, "_", { key: "b" }]],
    ["${a}${b}", [{ key: "a" }, { key: "b" }]],
    ["$[HH-1/24]", [{ key: "[HH-1/24]" }]],
    ["$${a}", ["${a}"]],
    ["$$[0]", ["$[0]"]],
    ["$$${a}", ["$", { key: "a" }]],
    ["$$$${a}", ["$${a}"]],
    ["a$$b", ["a$$b"]],
    ["${yyyy'}'MM}", [{ key: "yyyy'}'MM" }]],
    ["{}${a}}", ["{}", { key: "a" }, "}"]],
    ["${}", [{ key: "" }]],
  ])("in %j", (text, pieces) => expect(scanTemplates(text)).toEqual(pieces as ReturnType<typeof scanTemplates>))

  test.each([
    ["$a", [{ key: "a" }]],
    ["$a-$b_1 $5", [{ key: "a" }, "-", { key: "b_1" }, " $5"]],
    ["pa$$word", ["pa$word"]],
    ["US$", ["US$"]],
    ["$${a}$a", ["${a}", { key: "a" }]],
  ])("and references in the value %j", (text, pieces) =>
    expect(scanTemplates(text, { references: true })).toEqual(pieces as ReturnType<typeof scanTemplates>),
  )

  test.each(["${a", "x $[HH", "${a\n}", "${it's}"])("and refuse %j, which is not closed", (text) =>
    expect(scanTemplates(text)).toMatchObject({ fault: expect.stringContaining("is not closed") }),
  )

  test.each(["${a}", "$a", "$$a", "$[x]", "$$${a}", "US$", "a$$", "$5", "${", "$$"])("and escape %j", (text) => {
    expect(scanTemplates(escapeTemplates(text), { references: true })).toEqual([text])
  })
})
