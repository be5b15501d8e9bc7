import { expect, test } from "bun:test"
import { postgresDialect } from "./postgres-dialect.ts"

test("postgres dialect quotes names that break out elsewhere", () => {
  expect(postgresDialect.quote('a"b')).toBe('"a""b"')
  expect(postgresDialect.quote('"; DROP TABLE t; --')).toBe('"""; DROP TABLE t; --"')
  expect(postgresDialect.quote("Größe.x")).toBe('"Größe.x"')
})

test("postgres dialect keeps backslashes inside E strings, so that no server setting changes their meaning", () => {
  expect(postgresDialect.literal("it's")).toBe("'it''s'")
  expect(postgresDialect.literal("\\'; DROP TABLE t; --")).toBe(" E'\\\\''; DROP TABLE t; --'")
  expect(postgresDialect.literal("")).toBe("''")
})

test("postgres dialect casts a literal to the column that it is compared with", () => {
  const column = { name: "c", type: { kind: "uuid" }, nullable: false } as const
  expect(postgresDialect.literal("x", { ...column, native: { system: "postgres", type: "uuid" } })).toBe("'x'::uuid")
  expect(postgresDialect.literal("x", { ...column, native: { system: "mysql", type: "uuid" } })).toBe("'x'")
})

test("postgres dialect samples pages, and all of a small table", () => {
  expect(postgresDialect.sample('"t"', 1)).toEqual({ from: '"t"' })
  expect(postgresDialect.sample('"t"', 0.01)).toEqual({ from: '"t" TABLESAMPLE SYSTEM (1)' })
})
