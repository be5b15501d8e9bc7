import { expect, test } from "bun:test"
import { discoverParameters } from "./discover.ts"

const document = {
  version: 1,
  description: "${not_looked_at}",
  parameters: {
    region: { type: "string", default: "$zone-1", description: "Where." },
    dd: { type: "integer" },
    note: { type: "string", required: false },
  },
  steps: [
    {
      id: "in",
      use: "postgres-input",
      config: {
        dataSource: "${env}_shop",
        tables: ["orders_${yyyyMMdd-1d}", "x_${Region}"],
        where: "day = '${bizdate}' and hh = $[HH] and d = ${dd} and t < ${yyyyMMdd-1d}",
        literal: "$${kept} $5",
      },
    },
    { id: "out", use: "csv-output", config: { path: "/out/${ENV}/${Run}.csv" } },
  ],
  settings: { note: "${env}" },
}

test("parameters are discovered with their types, origins and uses", () => {
  const { parameters, expressions, problems } = discoverParameters(document)
  expect(problems).toEqual([])
  expect(parameters).toEqual([
    {
      name: "region",
      type: "string",
      default: "$zone-1",
      description: "Where.",
      origin: "declared",
      required: false,
      uses: ["/steps/0/config/tables/1"],
    },
    { name: "dd", type: "integer", origin: "declared", required: true, uses: ["/steps/0/config/where"] },
    { name: "note", type: "string", origin: "declared", required: false, uses: [] },
    { name: "bizdate", type: "string", origin: "builtin", required: false, uses: ["/steps/0/config/where"] },
    { name: "run", type: "string", origin: "builtin", required: false, uses: ["/steps/1/config/path"] },
    { name: "zone", type: "string", origin: "used", required: true, uses: ["/parameters/region/default"] },
    {
      name: "env",
      type: "string",
      origin: "used",
      required: true,
      uses: ["/steps/0/config/dataSource", "/steps/1/config/path", "/settings/note"],
    },
  ])
  expect(expressions).toEqual([
    { template: "${yyyyMMdd-1d}", uses: ["/steps/0/config/tables/0", "/steps/0/config/where"] },
    { template: "$[HH]", uses: ["/steps/0/config/where"] },
  ])
})

test.each([
  ["${yyyymmdd}", `"mm" is the minute`, "yyyyMMdd"],
  ["${a.b}", `"a" is not a date field`, "$${a.b}"],
  ["${}", "nothing stands between the braces", "$${}"],
  ["${bizdate-1}", "an offset follows a name", "yyyyMMdd"],
  ["${start-1d}", "an offset follows a name", "date format"],
  ["${glb_x}", "reserved", "Rename"],
  ["${abcdefghijklmnopqrstuvwxyz_abcdefg}", "34 characters", "Rename"],
  ["${größe}", "is not a date field", "$${größe}"],
  ["$[0]", `"0" is not a date field`, "$$[0]"],
  ["$[region]", "is not a date field", "$$[region]"],
  ["$['name']", "no date field", "$$['name']"],
  ["${open", "is not closed", "$${"],
])("parameters refuse %s where it stands", (text, message, hint) => {
  const { problems } = discoverParameters({ steps: [{ config: { "a/b": ["x", `y ${text}`] } }] })
  expect(problems).toHaveLength(1)
  expect(problems[0]?.pointer).toBe("/steps/0/config/a~1b/1")
  expect(problems[0]?.reason).toBe("template")
  expect(problems[0]?.message).toContain(message)
  expect(problems[0]?.hint).toContain(hint)
})

test.each([
  [null],
  [5],
  ["${x}"],
  [[]],
  [{}],
  [{ steps: {} }],
  [{ steps: [null, { config: null }] }],
  [{ settings: 5 }],
])("parameters of the malformed document %j are none", (malformed) =>
  expect(discoverParameters(malformed)).toEqual({ parameters: [], expressions: [], problems: [] }),
)
