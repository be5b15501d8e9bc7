import { expect, test } from "bun:test"
import { type CopyOptions, copyFlow } from "./copy-flow.ts"
import { readEndpoint } from "./endpoint.ts"

const NAMES = ["shop", "shop.eu", "exports.csv"]

test.each([
  ["shop.orders", { kind: "table", dataSource: "shop", table: "orders" }],
  ["shop.public.orders", { kind: "table", dataSource: "shop", table: "public.orders" }],
  ["shop.eu.orders", { kind: "table", dataSource: "shop.eu", table: "orders" }],
  ["exports.csv.orders", { kind: "table", dataSource: "exports.csv", table: "orders" }],
  ["shop.csv", { kind: "csv", path: "shop.csv", delimiter: "," }],
  ['shop."csv"', { kind: "table", dataSource: "shop", table: '"csv"' }],
  ["data/*.csv.gz", { kind: "csv", path: "data/*.csv.gz", delimiter: "," }],
  ["x.TSV.zst", { kind: "csv", path: "x.TSV.zst", delimiter: "\\t" }],
  ["shop.db:orders", { kind: "table", dataSource: "shop.db", table: "orders" }],
  ['shop."db:orders"', { kind: "table", dataSource: "shop", table: '"db:orders"' }],
  ["shop.db.orders", { kind: "table", dataSource: "shop", table: "db.orders" }],
  ["../a.b/shop.sqlite3.main.orders", { kind: "table", dataSource: "../a.b/shop.sqlite3", table: "main.orders" }],
])("copy reads %s", (text, expected) => {
  expect(readEndpoint(text, NAMES) as unknown).toEqual(expected)
})

test.each([
  ["shop", "Write shop.TABLE"],
  ["shop.", "Write shop.TABLE"],
  ["a.db", "Write a.db:TABLE"],
  ["shop.db", "Write shop.db:TABLE"],
  ["shop.db:", "Write shop.db:TABLE"],
  ["shpo.orders", 'Did you mean "shop"?'],
  ["orders", "Write SOURCE.TABLE (there are shop, shop.eu, exports.csv)"],
])("copy refuses %s with the way to write it", (text, hint) => {
  const { hint: given } = readEndpoint(text, NAMES) as { readonly hint: string }
  expect(given).toContain(hint)
})

test("copy makes a flow that says only what was asked for", () => {
  const made = copyFlow(
    { kind: "csv", path: "a.tsv", delimiter: "\\t" },
    { kind: "table", dataSource: "shop", table: "orders", type: "postgres" },
    { ...OPTIONS, columns: ["id"], key: ["id"], parallel: 2 },
  )
  expect(made).toEqual({
    document: {
      version: 1,
      steps: [
        { id: "read", use: "csv-input", config: { path: "a.tsv", delimiter: "\\t" } },
        { id: "select", use: "select", config: { columns: ["id"] } },
        {
          id: "write",
          use: "postgres-output",
          config: { dataSource: "shop", table: "orders", mode: "append", keyColumns: ["id"], createTable: true },
        },
      ],
      hops: [
        { from: "read", to: "select" },
        { from: "select", to: "write" },
      ],
      settings: { parallel: 2 },
    },
  })
})

test("copy refuses what a file cannot do", () => {
  const file = { kind: "csv", path: "a.csv", delimiter: "," } as const
  const made = copyFlow(file, file, { ...OPTIONS, where: "a > 1", mode: "updateRows", key: ["id"] })
  expect("faults" in made ? made.faults : []).toHaveLength(3)
})

const OPTIONS: CopyOptions = {
  mode: "append",
  create: true,
  allowLossy: false,
  where: undefined,
  columns: undefined,
  key: undefined,
  splitColumn: undefined,
  parallel: undefined,
  errorLimit: undefined,
}
