import { expect, test } from "bun:test"
import type { Column, LogicalType } from "../../core/contract/index.ts"
import { bind } from "./mysql-connection.ts"
import { mysqlDialect } from "./mysql-dialect.ts"
import { namesAddress } from "./mysql-identity.ts"
import { tlsMode } from "./mysql-settings.ts"
import { inputColumns, logicalType } from "./mysql-types.ts"

const column = (type: LogicalType, native?: string): Column => ({
  name: "c",
  type,
  nullable: false,
  ...(native !== undefined && { native: { system: "mysql", type: native } }),
})

test.each<[string, LogicalType]>([
  ["tinyint(1)", { kind: "int16" }],
  ["tinyint(3) unsigned", { kind: "int16" }],
  ["smallint(5) unsigned", { kind: "int32" }],
  ["mediumint(8) unsigned", { kind: "int32" }],
  ["int", { kind: "int32" }],
  ["int(10) unsigned zerofill", { kind: "int64" }],
  ["bigint(20)", { kind: "int64" }],
  ["bigint unsigned", { kind: "uint64" }],
  ["decimal(65,30)", { kind: "decimal", precision: 65, scale: 30 }],
  ["float", { kind: "float32" }],
  ["double(8,2)", { kind: "float64" }],
  ["bit(1)", { kind: "boolean" }],
  ["bit(64)", { kind: "uint64" }],
  ["time(6)", { kind: "interval" }],
  ["datetime(3)", { kind: "timestamp", zone: false, precision: 3 }],
  ["timestamp", { kind: "timestamp", zone: true, precision: 0 }],
  ["year(4)", { kind: "int16" }],
  ["char(3)", { kind: "string", fixed: true, length: 3 }],
  ["varchar(20)", { kind: "string", length: 20 }],
  ["enum('a','b)')", { kind: "string" }],
  ["set('x','y')", { kind: "string" }],
  ["varbinary(16)", { kind: "bytes", length: 16 }],
  ["mediumblob", { kind: "bytes" }],
  ["json", { kind: "json" }],
  ["uuid", { kind: "uuid" }],
  ["multipolygon", { kind: "native", system: "mysql", name: "multipolygon" }],
])("mysql reads the declaration %s", (type, expected) => {
  expect(logicalType({ type })).toEqual(expected)
})

test.each<[LogicalType, boolean, string, boolean]>([
  [{ kind: "boolean" }, false, "tinyint(1)", false],
  [{ kind: "uint64" }, false, "bigint unsigned", false],
  [{ kind: "decimal", precision: 12, scale: 2 }, false, "decimal(12,2)", false],
  [{ kind: "decimal", precision: 2, scale: 5 }, false, "decimal(5,5)", false],
  [{ kind: "decimal", precision: 3, scale: -2 }, false, "decimal(5,0)", false],
  [{ kind: "decimal" }, false, "decimal(65,30)", true],
  [{ kind: "decimal", precision: 78, scale: 0 }, false, "decimal(65,0)", true],
  [{ kind: "string" }, false, "longtext", false],
  [{ kind: "string" }, true, "varchar(255)", true],
  [{ kind: "string", length: 50 }, true, "varchar(50)", false],
  [{ kind: "string", length: 3, fixed: true }, false, "char(3)", false],
  [{ kind: "string", length: 20_000 }, false, "longtext", false],
  [{ kind: "bytes" }, false, "longblob", false],
  [{ kind: "bytes" }, true, "varbinary(767)", true],
  [{ kind: "timestamp", zone: true }, false, "timestamp(6)", false],
  [{ kind: "timestamp", zone: false, precision: 3 }, false, "datetime(3)", false],
  [{ kind: "time", precision: 0 }, false, "time(0)", false],
  [{ kind: "interval" }, false, "varchar(255)", false],
  [{ kind: "native", system: "postgres", name: "int4range" }, false, "longtext", true],
  [{ kind: "native", system: "mysql", name: "polygon" }, false, "polygon", false],
])("mysql declares %p with key %p as %s", (type, key, declared, lossy) => {
  const found = mysqlDialect.columnType(column(type), { key })
  expect(found.type).toBe(declared)
  expect(found.lossy !== undefined).toBe(lossy)
})

test("mysql keeps a declaration of its own, unless a cast has overtaken it", () => {
  const own = column({ kind: "string" }, "enum('a','b')")
  expect(mysqlDialect.columnType(own, { key: false }).type).toBe("enum('a','b')")
  expect(mysqlDialect.columnType(column({ kind: "int64" }, "varchar(20)"), { key: false }).type).toBe("bigint")
})

test("mysql quotes names and values that nothing breaks out of", () => {
  expect(mysqlDialect.quote("a`; drop")).toBe("`a``; drop`")
  expect(mysqlDialect.literal("it's \\' a \0")).toBe("'it''s \\\\'' a \\0'")
  const listed = (type: string) => ({ ...column({ kind: "string" }), native: { system: "mysql", type } })
  expect(mysqlDialect.literal("it's", listed("enum('b','it''s')"))).toBe("2")
  expect(mysqlDialect.literal("", listed("enum('b','a')"))).toBe("0")
  expect(mysqlDialect.literal("a,c", listed("set('c','b','a')"))).toBe("5")
  expect(mysqlDialect.literal("1 or 1", column({ kind: "int32" }))).toBe("'1 or 1'")
  expect(mysqlDialect.literal("-12.50", column({ kind: "decimal" }))).toBe("-12.50")
  expect(mysqlDialect.literal("\\x00ff", column({ kind: "bytes" }))).toBe("x'00ff'")
  expect(mysqlDialect.literal("\\x00f' or", column({ kind: "bytes" }))).toBe("'\\\\x00f'' or'")
  expect(mysqlDialect.literal("2024-01-01 00:00:00+00", column({ kind: "timestamp", zone: true }))).toBe(
    "'2024-01-01 00:00:00'",
  )
})

test("mysql binds question marks outside of texts, names and comments", () => {
  expect(bind("select ?, '?', \"?\", `?`, 'it''s ?' -- ?\n, ? /* ? */", ["a'b", "2"])).toBe(
    "select 'a''b', '?', \"?\", `?`, 'it''s ?' -- ?\n, '2' /* ? */",
  )
})

test("mysql shapes an input's columns by its options", () => {
  const columns = [
    column({ kind: "int16" }, "tinyint(1)"),
    column({ kind: "interval" }, "time(3)"),
    column({ kind: "date" }, "date"),
  ]
  expect(inputColumns(columns, { zeroDates: "null" })).toEqual([
    columns[0]!,
    columns[1]!,
    { ...columns[2]!, nullable: true },
  ])
  const shaped = inputColumns(columns, { zeroDates: "reject", tinyint1AsBoolean: true, timeAs: "time" })
  expect(shaped.map(({ type, nullable }) => [type, nullable])).toEqual([
    [{ kind: "boolean" }, false],
    [{ kind: "time", precision: 3 }, false],
    [{ kind: "date" }, false],
  ])
})

test("mysql encrypts and verifies unless the server is on this machine", () => {
  const base = { host: "db.example", port: 3306, user: "u", database: "d" }
  expect(tlsMode(base)).toBe("verify")
  expect(tlsMode({ ...base, host: "127.0.0.1" })).toBe("off")
  expect(tlsMode({ ...base, socketPath: "/run/mysqld.sock" })).toBe("off")
  expect(tlsMode({ ...base, host: "127.0.0.1", tls: "verify" })).toBe("verify")
  expect(tlsMode({ ...base, host: "127.example.com" })).toBe("verify")
})

test("mysql finds an address in a certificate, however it is spelled", () => {
  expect(namesAddress("DNS:localhost, IP Address:127.0.0.1", "127.0.0.1")).toBe(true)
  expect(namesAddress("DNS:localhost, IP Address:127.0.0.1", "127.0.0.2")).toBe(false)
  expect(namesAddress("IP Address:0:0:0:0:0:0:0:1", "::1")).toBe(true)
  expect(namesAddress("DNS:10.0.0.5", "10.0.0.5")).toBe(false)
})
