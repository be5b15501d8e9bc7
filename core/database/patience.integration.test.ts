import { expect, test } from "bun:test"
import { createServer } from "node:net"
import { testSession } from "../../scripts/testing/session.ts"
import { makeSubject } from "../../scripts/testing/subject.ts"
import { pluginError } from "../host/failure.ts"
import { connected } from "./connections.ts"
import { databaseInput } from "./database-input.ts"
import type { DatabaseInputOptions } from "./options.ts"

async function failureOf(promise: Promise<unknown>) {
  try {
    await promise
  } catch (error) {
    return pluginError(error)
  }
  throw new Error("It did not fail")
}

test("a plan does not wait for the locks of strangers forever, and names them", async () => {
  const subject = await makeSubject("postgres")
  await using stranger = await subject.connect()
  await stranger.execute("CREATE TABLE t (id int PRIMARY KEY)")
  await stranger.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
  const session = testSession({ settings: { statementTimeoutMs: 500 } })
  const { dataSource } = subject.output({ table: "t" }).config
  // Decoded options with their defaults; of a query only this is looked at.
  const config = { dataSource, query: "SELECT id FROM t" } as unknown as DatabaseInputOptions
  const { reason, message, hint } = await failureOf(databaseInput(subject.database).plan(config, {}, session))
  expect(reason).toBe("timeout")
  expect(message).toContain("Cannot understand the query: PostgreSQL")
  expect(message).toMatch(/has not answered for 0.5 s, it waits: backend \d+ of user "\w+" .*holds a lock on t/)
  expect(hint).toContain("statementTimeoutMs")
})

test("a statement does not wait for a locked table of MySQL forever, and says what it waits for", async () => {
  const subject = await makeSubject("mysql")
  await using stranger = await subject.connect()
  await stranger.execute("CREATE TABLE t (id int PRIMARY KEY)")
  await stranger.execute("LOCK TABLES t WRITE")
  const session = testSession({ settings: { statementTimeoutMs: 500 } })
  await using connection = await connected((at) => subject.database.connect(subject.settings, at), session)
  const { message } = await failureOf(connection.query("SELECT COUNT(*) FROM t"))
  expect(message).toContain("0.5 s, it waits: Waiting for table metadata lock")
})

test("a statement that waits for a row of MySQL names the connection that holds it", async () => {
  const subject = await makeSubject("mysql")
  await using stranger = await subject.connect()
  await stranger.execute("CREATE TABLE t (id int PRIMARY KEY)")
  await stranger.execute("INSERT INTO t VALUES (1)")
  await stranger.begin()
  await stranger.execute("DELETE FROM t WHERE id = 1")
  const session = testSession({ settings: { statementTimeoutMs: 500 } })
  await using connection = await connected((at) => subject.database.connect(subject.settings, at), session)
  const { message } = await failureOf(connection.execute("UPDATE t SET id = 2 WHERE id = 1"))
  expect(message).toMatch(/it waits: connection \d+ of user "\w+" holds locks since/)
})

test("a connection to somebody who never answers is given up", async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
  const { port } = silent.address() as { readonly port: number }
  for (const name of ["postgres", "mysql"] as const) {
    const subject = await makeSubject(name)
    const settings = { ...(subject.settings as object), host: "127.0.0.1", port }
    const session = testSession({ settings: { connectTimeoutMs: 300 } })
    const { retryable } = await failureOf(connected((at) => subject.database.connect(settings, at), session))
    expect(retryable).toBe(true)
  }
  silent.close()
})

test("a call that has taken too long takes its connection with it, and a rollback asks nobody any more", async () => {
  const subject = await makeSubject("postgres")
  const session = testSession({ settings: { statementTimeoutMs: 1000 } })
  const connection = await connected((at) => subject.database.connect(subject.settings, at), session)
  await connection.begin()
  expect((await failureOf(connection.query("SELECT pg_sleep(3000), 'secret'"))).message).toContain(
    `Cannot run "SELECT pg_sleep(3000), '…'"`,
  )
  expect((await failureOf(connection.query("SELECT 1"))).reason).toBe("timeout")
  await connection.rollback()
  await connection.close()
  await using admin = await subject.connect()
  // A server notices a moment later that a connection is closed; the test's own limit ends this.
  const left = "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(3000)%'"
  while ((await admin.query(left))[0]![0] !== "0") await Bun.sleep(20)
})
