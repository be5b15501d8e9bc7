import { describe, expect, test } from "bun:test"
import { type Engine, testEngine } from "../../scripts/testing/engine.ts"
import { probeInput, probePlugins } from "../../scripts/testing/probes.ts"
import { makeSubject } from "../../scripts/testing/subject.ts"
import type { Connection } from "../contract/index.ts"

/** Statements that make a user `guest` who may read and write the table `t`, and nothing else. */
const GUESTS = {
  postgres: (name: string) => [
    `CREATE ROLE ${name} LOGIN PASSWORD 'guest'`,
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    `GRANT SELECT, INSERT, UPDATE, DELETE ON t TO ${name}`,
  ],
  mysql: (name: string) => [
    `CREATE USER ${name}@'%' IDENTIFIED BY 'guest'`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON t TO ${name}@'%'`,
  ],
} as const

async function guest(name: keyof typeof GUESTS): Promise<{ admin: Connection; engine: Engine; user: string }> {
  const subject = await makeSubject(name)
  const admin = await subject.connect()
  await admin.execute("CREATE TABLE t (id int PRIMARY KEY)")
  const user = `guest_${crypto.randomUUID().slice(0, 8)}`
  for (const sql of GUESTS[name](user)) await admin.execute(sql)
  const settings = { ...(subject.settings as object), user, password: "guest" }
  const engine = testEngine({ subject: { type: name, settings } }, { plugins: probePlugins(probeInput()) })
  return { admin, engine, user }
}

describe.each(["postgres", "mysql"] as const)("a user of %s who may not create tables", (name) => {
  const flow = (options: object) => ({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "out", use: `${name}-output`, config: { dataSource: "subject", table: "t", ...options } },
    ],
    hops: [{ from: "in", to: "out" }],
  })

  test("gets rows at least once, which the receipt says", async () => {
    const { admin, engine } = await guest(name)
    const report = await engine.run(flow({}))
    expect(report.failure).toBeUndefined()
    expect(report.receipts[0]!.outputs).toMatchObject([{ written: 10, guarantee: "at-least-once" }])
    expect(await admin.query("SELECT COUNT(*) FROM t")).toEqual([["10"]])
    await admin.close()
  })

  test("is refused before anything is touched where the ledger is required, or a table is replaced", async () => {
    const { admin, engine } = await guest(name)
    for (const options of [{ ledger: "required" }, { mode: "replaceTable", replaceBy: "rewrite" }]) {
      const report = await engine.run(flow({ before: ["DELETE FROM t"], ...options }))
      expect(report).toMatchObject({ status: "failed", failure: { reason: "permission", step: "out" } })
      expect(report.failure?.message).toContain("Cannot create the commit ledger")
      expect(report.failure?.hint).toContain("Let somebody create it")
    }
    expect(await admin.query("SELECT COUNT(*) FROM t")).toEqual([["0"]])
    await admin.close()
  })
})

test("a target that is read-only is refused clearly, and nothing is retried", async () => {
  const { admin, engine, user } = await guest("postgres")
  await admin.execute(`ALTER ROLE ${user} SET default_transaction_read_only = on`)
  const report = await engine.run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "out", use: "postgres-output", config: { dataSource: "subject", table: "t" } },
    ],
    hops: [{ from: "in", to: "out" }],
  })
  expect(report).toMatchObject({ status: "failed", retries: 0, failure: { step: "out" } })
  expect(report.failure?.message).toContain("read-only")
  expect(await admin.query("SELECT COUNT(*) FROM t")).toEqual([["0"]])
  await admin.close()
})
