import { expect, test } from "bun:test"
import { failure } from "../host/failure.ts"
import { isTableExpression, parseTableExpression, parseTableName } from "./table-name.ts"

const name = (text: string, schema?: string) => parseTableName(text, schema, failure)
const names = (text: string) => parseTableExpression(text, failure).flatMap((term) => term.names)

test("table-name reads names with schemas, quotes and dots", () => {
  expect(name("orders")).toEqual({ name: "orders" })
  expect(name(" shop.orders ")).toEqual({ schema: "shop", name: "orders" })
  expect(name("orders", "shop")).toEqual({ schema: "shop", name: "orders" })
  expect(name("mine.orders", "shop")).toEqual({ schema: "mine", name: "orders" })
  expect(name('"odd.name"')).toEqual({ name: "odd.name" })
  expect(name('"a""b"."c"')).toEqual({ schema: 'a"b', name: "c" })
  expect(name("`a``b`.`c.d`")).toEqual({ schema: "a`b", name: "c.d" })
  expect(name('shop."Order Items"')).toEqual({ schema: "shop", name: "Order Items" })
  expect(name("Bestellungen_Ü; DROP")).toEqual({ name: "Bestellungen_Ü; DROP" })
})

test("table-name refuses what is no name", () => {
  for (const text of ["", "  ", ".", "a.", ".a", "a..b", "a.b.c", '"', '"a', 'a"b', '"a"b', '""', "a. ", "`", '"a".']) {
    expect(() => name(text)).toThrow(`Cannot read the table name "${text}"`)
  }
})

test("table-name reads lists and ranges, leading zeros kept", () => {
  expect(names("order_[001-003];order_x")).toEqual(["order_001", "order_002", "order_003", "order_x"])
  expect(names("t[8-11]")).toEqual(["t8", "t9", "t10", "t11"])
  expect(names("t[08-11]b")).toEqual(["t08b", "t09b", "t10b", "t11b"])
  expect(names("t[99-101]")).toEqual(["t99", "t100", "t101"])
  expect(names("t[5-5]")).toEqual(["t5"])
  expect(names(" a ; ; b; ")).toEqual(["a", "b"])
  expect(names("shop.t_[1-2]")).toEqual(["shop.t_1", "shop.t_2"])
  expect(parseTableExpression("a;b[1-2]", failure).map(({ range }) => range)).toEqual([false, true])
})

test("table-name finds no list or range in what is quoted", () => {
  expect(isTableExpression("orders")).toBe(false)
  expect(isTableExpression('"a;b"')).toBe(false)
  expect(isTableExpression('shop."a[1]"')).toBe(false)
  expect(isTableExpression("`a;b`;c")).toBe(true)
  expect(isTableExpression('"a";"b"')).toBe(true)
  expect(names('"a;b";"c[1-2]";d')).toEqual(['"a;b"', '"c[1-2]"', "d"])
  expect(names('"s.1".t_[1-2]')).toEqual(['"s.1".t_1', '"s.1".t_2'])
})

test("table-name refuses ranges that are malformed, fall, or are huge", () => {
  for (const text of ["t[", "t]", "t[1]", "t[1-]", "t[-1]", "t[a-b]", "t[1-2][3-4]", "t[[1-2]]", "t]1-2["]) {
    expect(() => names(text)).toThrow(`Cannot read the table range "${text}"`)
  }
  for (const text of [
    "t[2-1]",
    "t[1-10001]",
    "t[1-99999999999999999999]",
    "t[99999999999999999990-99999999999999999999]",
  ]) {
    expect(() => names(text)).toThrow(`Cannot use the table range "${text}"`)
  }
  expect(names("t[1-10000]").length).toBe(10_000)
  expect(() => names("t[1-9999];u[1-9999]")).toThrow("Cannot read so many tables")
  expect(() => names(";")).toThrow('Cannot read the tables ";": no name is given')
})
