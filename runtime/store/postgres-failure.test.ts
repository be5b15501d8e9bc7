import { expect, test } from "bun:test"
import { DrizzleQueryError } from "drizzle-orm/errors"
import { isCollision, postgresError, storeFailures } from "./postgres-failure.ts"

const thrown = (code: string) =>
  Object.assign(new Error("what the server says"), { code, detail: "Key (name)=(zelda) already exists." })

test.each(storeFailures)("postgres-failure calls %s %s", (code, reason) => {
  expect(postgresError("write the store", "h:1/d", thrown(code))).toMatchObject({
    reason,
    code,
    message: "Cannot write the store in PostgreSQL h:1/d: what the server says",
  })
})

test("postgres-failure tells duplicates and collisions, and keeps values out", () => {
  const wrapped = new DrizzleQueryError("INSERT", ["zelda"], thrown("23505"))
  const error = postgresError("write the store", "h:1/d", wrapped)
  expect(error).toMatchObject({ reason: "constraint", isDuplicate: true })
  expect(error?.cause).not.toHaveProperty("detail")
  expect(error?.message).not.toContain("zelda")
  expect(postgresError("write the store", "h:1/d", thrown("23503"))).not.toHaveProperty("isDuplicate")
  expect([thrown("40001"), thrown("40P01"), thrown("23505"), new Error("no")].map(isCollision)).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test("postgres-failure knows nothing of what is none of the database's doing", () => {
  expect(postgresError("write the store", "h:1/d", new TypeError("x is undefined"))).toBeUndefined()
  expect(postgresError("write the store", "h:1/d", thrown("UNDEFINED_VALUE"))).toBeUndefined()
  expect(postgresError("write the store", "h:1/d", undefined)).toBeUndefined()
})
