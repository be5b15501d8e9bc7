import { expect, test } from "bun:test"
import { closestName } from "./closest-name.ts"

test("closest-name finds what a misspelt name means", () => {
  expect(closestName("ordres", ["customers", "orders"])).toBe("orders")
  expect(closestName("ORDERS", ["orders"])).toBe("orders")
  expect(closestName("batchrow", ["batchRows", "batchBytes"])).toBe("batchRows")
  expect(closestName("tabel", ["table"])).toBe("table")
  expect(closestName("id", ["ids", "idx"])).toBe("ids")
})

test("closest-name offers nothing that is not alike", () => {
  expect(closestName("zzz", ["orders", "a"])).toBeUndefined()
  expect(closestName("a", ["b"])).toBeUndefined()
  expect(closestName("", ["a", ""])).toBeUndefined()
  expect(closestName("orders", [])).toBeUndefined()
})
