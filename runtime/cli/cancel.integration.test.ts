import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { createConnection } from "mysql2/promise"
import postgresClient from "postgres"
import { mariadb, postgres } from "../../scripts/services/services.ts"
import { chain, Workplace } from "./testdata/headrace.ts"

/** One system to cancel at, and another connection to it that stands in the way. */
interface System {
  readonly type: "postgres" | "mysql"
  /** Runs statements on a connection of the test's own, one after another. */
  sql(text: string): Promise<readonly (readonly unknown[])[]>
  /** The same on a second one, which stays out of transactions. */
  watch(text: string): Promise<readonly (readonly unknown[])[]>
  /** Counts the connections that Headrace holds. */
  readonly sessions: string
  /** Counts those of them that wait for a lock. */
  readonly waiting: string
  /** A query whose rows take a second each. */
  readonly slowRows: string
  /** A trigger function that makes every row of `t` fail with an error that may pass. */
  readonly failing: readonly string[]
  /** The schema of this test among those of others. */
  readonly schema: string
  readonly lock: string
  readonly hold: string
  readonly release: string
}

const at = new Workplace()
const silent = new Set<Socket>()
const systems = new Map<System["type"], System>()
const closers: (() => Promise<void>)[] = []
let hole: Server

beforeAll(async () => {
  const [pg, my] = [await postgres(), await mariadb()]
  const [pgName, myName] = [await pg.createDatabase("cancel"), await my.createDatabase("cancel")]
  const { host, user, password } = pg
  const clientOf = () => {
    const client = postgresClient({ host, port: pg.port, user, password, database: pgName, max: 1, onnotice: () => {} })
    closers.push(() => client.end())
    return async (text: string) => (await client.unsafe(text).values()) as unknown[][]
  }
  systems.set("postgres", {
    type: "postgres",
    sql: clientOf(),
    watch: clientOf(),
    sessions:
      "SELECT count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'headrace %' AND datname = current_database()",
    waiting:
      "SELECT count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'headrace %' AND datname = current_database() AND wait_event_type = 'Lock'",
    slowRows: "SELECT i AS id FROM generate_series(1, 1000) AS i, LATERAL (SELECT pg_sleep(0.2 + i * 0)) AS s",
    failing: [
      `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'try again' USING ERRCODE = '40P01'; END $$`,
      "CREATE TRIGGER fail BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fail()",
    ],
    schema: "current_schema()",
    lock: "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE",
    hold: "BEGIN; SELECT count(*) FROM t",
    release: "ROLLBACK",
  })
  const linkOf = async () => {
    const link = await createConnection({
      host: my.host,
      port: my.port,
      user: my.user,
      password: my.password,
      database: myName,
      rowsAsArray: true,
      multipleStatements: true,
    })
    closers.push(() => link.end())
    return async (text: string) => {
      const [rows] = await link.query(text)
      return (Array.isArray(rows) ? rows : []) as unknown[][]
    }
  }
  const [sql, watch] = [await linkOf(), await linkOf()]
  const own = [await sql("SELECT CONNECTION_ID()"), await watch("SELECT CONNECTION_ID()")].join(", ")
  systems.set("mysql", {
    type: "mysql",
    sql,
    watch,
    sessions: `SELECT CAST(COUNT(*) AS INT) FROM information_schema.PROCESSLIST WHERE DB = '${myName}' AND ID NOT IN (${own})`,
    waiting: `SELECT CAST(COUNT(*) AS INT) FROM information_schema.PROCESSLIST WHERE DB = '${myName}' AND STATE LIKE 'Waiting for%lock%'`,
    slowRows: "SELECT seq AS id FROM seq_1_to_1000 WHERE SLEEP(0.2) = 0",
    failing: [
      "CREATE TRIGGER fail BEFORE INSERT ON t FOR EACH ROW SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'try again'",
    ],
    schema: "DATABASE()",
    lock: "LOCK TABLES t WRITE",
    hold: "START TRANSACTION; SELECT COUNT(*) FROM t",
    release: "UNLOCK TABLES; ROLLBACK",
  })
  hole = createServer((socket) => {
    silent.add(socket)
    socket.on("error", () => {})
  }).listen(0, "127.0.0.1")
  await new Promise((done) => hole.once("listening", done))
  const { port } = hole.address() as { port: number }
  const settings = (service: typeof pg, database: string) => ({
    host: service.host,
    port: service.port,
    user: service.user,
    password: service.password,
    database,
  })
  await at.write("headrace.sources.json", {
    postgres: { type: "postgres", settings: settings(pg, pgName) },
    mysql: { type: "mysql", settings: settings(my, myName) },
    "hole-postgres": { type: "postgres", settings: { ...settings(pg, pgName), port } },
    "hole-mysql": { type: "mysql", settings: { ...settings(my, myName), port } },
  })
  chmodSync(at.path("headrace.sources.json"), 0o600)
})
afterAll(async () => {
  for (const socket of silent) socket.destroy()
  hole.close()
  for (const close of closers) await close()
  at[Symbol.dispose]()
})

const numbers = (rows: number) => ({
  id: "in",
  use: "rows-input",
  config: { rows, columns: [{ name: "id", type: "int64", sequence: true }] },
})

describe.each(["postgres", "mysql"] as const)("headrace run, cancelled in %s", (type) => {
  const into = (options: object = {}) => ({
    id: "out",
    use: `${type}-output`,
    config: { dataSource: type, table: "t", ...options },
  })
  const from = (query: string, dataSource: string = type) => ({
    id: "in",
    use: `${type}-input`,
    config: { dataSource, query },
  })

  async function until(query: string, wanted: (count: number) => boolean): Promise<void> {
    const { watch } = systems.get(type)!
    for (;;) {
      const [row] = await watch(query)
      if (wanted(Number(row?.[0]))) return
      await Bun.sleep(20)
    }
  }

  /** Runs a flow, interrupts it when `ready`, and holds it to what a cancelled run must leave: nothing. */
  async function cancelled(flow: object, ready: (err: () => string) => Promise<void>, free = "SELECT 1") {
    const system = systems.get(type)!
    const name = await at.write(`${crypto.randomUUID()}.json`, flow)
    const child = at.start(["run", name])
    let text = ""
    const reading = (async () => {
      for await (const chunk of child.stderr) text += new TextDecoder().decode(chunk)
    })()
    await ready(() => text)
    child.kill("SIGINT")
    // What it waits for takes far longer than the test may: the test's own limit says that it has to let go of it.
    const code = await child.exited
    await reading
    await system.sql(free)
    expect({ code, text }).toEqual({ code: 130, text })
    await until(system.sessions, (count) => count === 0)
    return text
  }

  async function freshTable(): Promise<System> {
    const system = systems.get(type)!
    await system.sql("DROP TABLE IF EXISTS t")
    if (type === "postgres") await system.sql("DROP FUNCTION IF EXISTS fail")
    await system.sql("CREATE TABLE t (id bigint PRIMARY KEY)")
    await system.sql("INSERT INTO t VALUES (-1)")
    return system
  }

  async function untouched({ sql, schema }: System): Promise<void> {
    expect((await sql("SELECT id FROM t")).map(([id]) => Number(id))).toEqual([-1])
    const left = await sql(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = ${schema} AND table_name LIKE 't\\_dpfx\\_%'`,
    )
    expect(left).toEqual([])
  }

  const flow = (...steps: object[]) => ({ ...chain(...steps), settings: { cancelTimeoutMs: 5000, splitRetries: 10 } })

  test("while it connects to a server that says nothing", async () => {
    await cancelled(flow(from("SELECT 1 AS id", `hole-${type}`), into()), async () => {
      const before = silent.size
      while (silent.size === before) await Bun.sleep(20)
    })
  })

  test("while it plans and waits for a lock", async () => {
    const system = await freshTable()
    await system.sql(system.lock)
    await cancelled(
      flow(from("SELECT id FROM t"), { id: "out", use: "discard-output" }),
      () => until(system.waiting, (count) => count > 0),
      system.release,
    )
    await untouched(system)
  })

  test("while it waits for a lock of the target", async () => {
    const system = await freshTable()
    await system.sql(system.lock)
    await cancelled(flow(numbers(10), into()), () => until(system.waiting, (count) => count > 0), system.release)
    await untouched(system)
  })

  test("while it copies", async () => {
    const system = await freshTable()
    await cancelled(flow(from(system.slowRows), into()), () => until(system.sessions, (count) => count > 1))
    await untouched(system)
  })

  test("while it pauses before it tries a split again", async () => {
    const system = await freshTable()
    for (const sql of system.failing) await system.sql(sql)
    const text = await cancelled(flow(numbers(10), into()), async (err) => {
      while (!err().includes("is tried again")) await Bun.sleep(20)
    })
    expect(text).toContain("try again")
    await untouched(system)
  })

  test("while its swap waits for a reader", async () => {
    const system = await freshTable()
    await system.sql(system.hold)
    const swapping = () => until(system.waiting, (count) => count > 0)
    await cancelled(flow(numbers(10), into({ mode: "replaceTable" })), swapping, system.release)
    await untouched(system)
  })
})
