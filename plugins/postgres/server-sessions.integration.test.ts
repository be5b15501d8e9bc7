import { afterAll, describe, expect, test } from "bun:test"
import type { Connection, Failure } from "../../core/contract/index.ts"
import { postgres as server } from "../../scripts/services/services.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { connect } from "./postgres-connection.ts"
import { applicationName } from "./server-sessions.ts"
import type { PostgresSettings } from "./settings.ts"

const opened: Connection[] = []
afterAll(() => Promise.all(opened.map((connection) => connection.close())))

describe.each(["18", "15"])("postgres %s", (version) => {
  test("postgres connections carry the id of their run, whatever its length", async () => {
    const at = await settings(version)
    for (const run of [
      { id: "r-2026-01-01-abcdefgh", fence: 1 },
      { id: "r-2026-01-01-abcdefgh", fence: 3 },
      { id: "x".repeat(80), fence: 12 },
    ]) {
      const connection = await open(at, run)
      expect(await connection.query("SHOW application_name")).toEqual([[applicationName(run)]])
    }
    expect(applicationName({ id: "r-1", fence: 1 })).toBe("headrace r-1 1")
    expect(applicationName({ id: "x".repeat(80), fence: 12 })).toHaveLength(63)
  })

  test("postgres ends what a run has left, hanging in a COPY too, and nothing else", async () => {
    const at = await settings(version)
    const hung = await open(at, { id: "r-1", fence: 1 })
    const idle = await open(at, { id: "r-1", fence: 2 })
    const stranger = await open(at, { id: "r-10", fence: 1 })
    const own = await open(at, { id: "r-1", fence: 3 })
    const resumed = await open(at, { id: "r-1", fence: 3 })
    await resumed.execute("CREATE TABLE t (i int)")
    const columns = (await hung.describeTable({ name: "t" }))!.columns
    await hung.begin()
    const session = testSession()
    const load = { table: { name: "t" }, columns, mode: "append", keyColumns: [], options: {} } as const
    const { promise: stuck, resolve: go } = Promise.withResolvers<void>()
    async function* rows() {
      yield session.batches.fromRows(columns, [{ i: 1 }])
      await stuck
    }
    const loading = failureOf(hung.load(load, rows(), session))
    const copies = () =>
      resumed.query(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query ~ 'COPY'",
      )
    while ((await copies())[0]![0] !== "2") await Bun.sleep(5)
    await resumed.evictOthers!({ id: "r-1", fence: 3 })
    expect(await names(resumed)).toEqual(["headrace r-1 3", "headrace r-1 3", "headrace r-10 1"])
    go()
    expect((await loading).reason).toBe("connection")
    expect((await failureOf(idle.query("SELECT 1"))).reason).toBe("connection")
    for (const alive of [stranger, own, resumed]) expect(await alive.query("SELECT 1")).toEqual([["1"]])
    expect(await resumed.query("SELECT count(*) FROM t")).toEqual([["0"]])
  })

  test("postgres ends earlier attempts within an open transaction, and nothing for a first one", async () => {
    const at = await settings(version)
    const first = await open(at, { id: "r-1", fence: 1 })
    await first.evictOthers!({ id: "r-1", fence: 1 })
    const second = await open(at, { id: "r-1", fence: 2 })
    await second.begin()
    await second.query("SELECT * FROM pg_stat_activity")
    await second.evictOthers!({ id: "r-1", fence: 2 })
    await second.commit()
    expect(await names(second)).toEqual(["headrace r-1 2"])
    const other = await open(at, { id: "r-2", fence: 1 })
    await other.evictOthers!({ id: "r-1", fence: 7 })
    expect(await names(other)).toEqual(["headrace r-2 1"])
  })

  test("postgres says which connection it may not end", async () => {
    const at = await settings(version)
    const admin = await open(at, { id: "admin", fence: 1 })
    const role = `weak_${crypto.randomUUID().slice(0, 8)}`
    await admin.execute(`CREATE ROLE ${role} LOGIN PASSWORD 'weak'`)
    await open(at, { id: "r-1", fence: 1 })
    const weak = await open({ ...at, user: role, password: "weak" }, { id: "r-1", fence: 2 })
    const failed = await failureOf(weak.evictOthers!({ id: "r-1", fence: 2 }))
    expect([failed.reason, failed.retryable]).toEqual(["conflict", false])
    expect(failed.message).toMatch(
      /^Cannot end what an earlier attempt at run "r-1" has left: backend \d+ of user "postgres" stays: /,
    )
    expect(await names(admin)).toEqual(["headrace admin 1", "headrace r-1 1", "headrace r-1 2"])
    await weak.close()
    await admin.execute(`DROP ROLE ${role}`)
  })

  test("postgres gives a lock to one connection at a time, and frees it when that one dies", async () => {
    const at = await settings(version)
    const one = await open(at, { id: "r-1", fence: 1 })
    const two = await open(at, { id: "r-2", fence: 1 })
    const name = "replace \"public\".'t' \\ 😀"
    expect(await one.lock!(name)).toBe(true)
    expect(await one.lock!(name)).toBe(true)
    expect(await two.lock!(name)).toBe(false)
    expect(await two.lock!("another")).toBe(true)
    await one.begin()
    await one.rollback()
    expect(await two.lock!(name)).toBe(false)
    await two.evictOthers!({ id: "r-1", fence: 2 })
    expect(await two.lock!(name)).toBe(true)
  })
})

async function settings(version: string): Promise<PostgresSettings> {
  const service = await server(version === "18" ? undefined : version)
  const { host, port, user, password } = service
  return { host, port, user, password, database: await service.createDatabase("sessions"), tls: "auto" }
}

async function open(at: PostgresSettings, run: { id: string; fence: number }): Promise<Connection> {
  const connection = await connect(at, { ...testSession(), run })
  opened.push(connection)
  return connection
}

async function names(connection: Connection): Promise<(string | null)[]> {
  const rows = await connection.query(
    `SELECT application_name FROM pg_stat_activity
     WHERE datname = current_database() AND starts_with(application_name, 'headrace') ORDER BY 1`,
  )
  return rows.map(([name]) => name ?? null)
}

const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => {
      throw new Error("it succeeded")
    },
    (error) => error as Failure,
  )
