import { expect, test } from "bun:test"
import { Effect } from "effect"
import { type Algorithm, bunPassword, makeHashing, nodeArgon2 } from "./password.ts"

const run = Effect.runPromise

test.each<[string, Algorithm, Algorithm]>([
  ["Bun's own", bunPassword, nodeArgon2],
  ["node:crypto's", nodeArgon2, bunPassword],
])("%s argon2id keeps passwords, and the other one can read them", async (_, one, other) => {
  const hashing = makeHashing(one)
  const hash = await run(hashing.hash("a sail of seven seams"))
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,43}\$[\w+/]{43}$/)
  expect(await run(hashing.hash("a sail of seven seams"))).not.toBe(hash)
  expect(hashing.isOld(hash)).toBe(false)
  for (const reader of [hashing, makeHashing(other)]) {
    expect(await run(reader.verify("a sail of seven seams", hash))).toBe(true)
    expect(await run(reader.verify("a sail of seven seam", hash))).toBe(false)
  }
})

test("hashes of other parameters are old, and can be read", async () => {
  const hashing = makeHashing(bunPassword)
  const old = await Bun.password.hash("a sail", { algorithm: "argon2id", memoryCost: 8192, timeCost: 3 })
  expect(hashing.isOld(old)).toBe(true)
  expect(await run(hashing.verify("a sail", old))).toBe(true)
})

test("a runtime without argon2 says so", async () => {
  const error = await run(Effect.flip(makeHashing(undefined).hash("a sail")))
  expect(error).toMatchObject({
    reason: "unavailable",
    message: "This runtime cannot keep passwords: it has no argon2",
  })
})

test("a flood of passwords is refused, and leaves nothing behind", async () => {
  let working = 0
  let most = 0
  const { promise: all, resolve: go } = Promise.withResolvers<void>()
  const hashing = makeHashing({
    async hash() {
      most = Math.max(most, ++working)
      await all
      await Bun.sleep(1)
      working--
      return "hash"
    },
    verify: async () => true,
  })
  let refused = 0
  const ends = await Promise.all(
    Array.from({ length: 80 }, async () => {
      const end = await run(Effect.exit(hashing.hash("a sail")))
      // Nobody is done before everybody has come.
      if (end._tag === "Failure" && ++refused === 30) go()
      return end
    }),
  )
  expect(ends.filter(({ _tag }) => _tag === "Success")).toHaveLength(50)
  expect(most).toBe(2)
  expect(await run(hashing.hash("a sail"))).toBe("hash")
})
