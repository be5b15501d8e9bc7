import { expect, test } from "bun:test"
import type { Column, LogicalType } from "../../core/contract/index.ts"
import { columnType, hasPortableBinary, logicalType } from "./type-map.ts"

const catalog = (declared: string, base: string, modifier = -1) =>
  logicalType({ declared, base, modifier, domain: false })

test.each([
  ["boolean", "bool", -1, { kind: "boolean" }],
  ["oid", "oid", -1, { kind: "int64" }],
  ["numeric", "numeric", -1, { kind: "decimal" }],
  ["numeric(12,2)", "numeric", (12 << 16) + 2 + 4, { kind: "decimal", precision: 12, scale: 2 }],
  ["numeric(1000,1000)", "numeric", (1000 << 16) + 1000 + 4, { kind: "decimal", precision: 1000, scale: 1000 }],
  ["numeric(3,-5)", "numeric", (3 << 16) + (-5 & 0x7ff) + 4, { kind: "decimal", precision: 8, scale: 0 }],
  ["numeric(2,4)", "numeric", (2 << 16) + 4 + 4, { kind: "decimal", precision: 2, scale: 4 }],
  ["character varying", "varchar", -1, { kind: "string" }],
  ["character varying(7)", "varchar", 11, { kind: "string", length: 7 }],
  ["character(3)", "bpchar", 7, { kind: "string", length: 3, fixed: true }],
  ["time(3) without time zone", "time", 3, { kind: "time", precision: 3 }],
  ["timestamp with time zone", "timestamptz", -1, { kind: "timestamp", zone: true }],
  ["timestamp(0) without time zone", "timestamp", 0, { kind: "timestamp", zone: false, precision: 0 }],
  ["positive", "int4", -1, { kind: "int32" }],
  ["mood", "mood", -1, { kind: "native", system: "postgres", name: "mood" }],
  ["time with time zone", "timetz", -1, { kind: "native", system: "postgres", name: "time with time zone" }],
] as const)("postgres type %s is known by its catalog entry", (declared, base, modifier, type) => {
  expect(catalog(declared, base, modifier)).toEqual(type as LogicalType)
})

const column = (type: LogicalType, native?: Column["native"]): Column => ({
  name: "c",
  type,
  nullable: true,
  ...(native && { native }),
})

test.each([
  [{ kind: "uint64" }, "numeric(20,0)"],
  [{ kind: "decimal" }, "numeric"],
  [{ kind: "decimal", precision: 65, scale: 30 }, "numeric(65,30)"],
  [{ kind: "decimal", precision: 1001, scale: 0 }, "numeric"],
  [{ kind: "string", length: 5, fixed: true }, "char(5)"],
  [{ kind: "string", length: 20_000_000 }, "text"],
  [{ kind: "timestamp", zone: true, precision: 3 }, "timestamptz(3)"],
  [{ kind: "timestamp", zone: false, precision: 6 }, "timestamp"],
  [{ kind: "time", precision: 0 }, "time(0)"],
  [{ kind: "json" }, "jsonb"],
  [{ kind: "native", system: "postgres", name: "mood" }, "mood"],
] as const)("postgres creates %p as %s", (type, name) => {
  expect(columnType(column(type as LogicalType))).toEqual({ type: name })
})

test("postgres creates foreign types as text and says so", () => {
  const { type, lossy } = columnType(column({ kind: "native", system: "mysql", name: "point" }))
  expect([type, lossy]).toEqual(["text", "point of mysql becomes text"])
})

test("postgres keeps a declaration of its own, unless a cast has left it behind", () => {
  const native = { system: "postgres", type: "character varying(7)" }
  expect(columnType(column({ kind: "string", length: 7 }, native)).type).toBe("character varying(7)")
  expect(columnType(column({ kind: "int32" }, { system: "postgres", type: "text" })).type).toBe("integer")
  expect(columnType(column({ kind: "string" }, { system: "mysql", type: "int" })).type).toBe("text")
})

test.each(["integer", "numeric(12,2)", "text[]", "int4range[]", "point", "bit(3)", "inet", "interval"])(
  "postgres forwards the bytes of %s",
  (declared) => expect(hasPortableBinary(declared)).toBe(true),
)

test.each(["mood", "mood[]", "money", "xml", "oid", "regclass", "hstore", "pair", "public.mood", "integer; DROP"])(
  "postgres carries %s as text",
  (declared) => expect(hasPortableBinary(declared)).toBe(false),
)
