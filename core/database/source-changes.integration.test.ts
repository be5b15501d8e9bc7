import { describe, expect, test } from "bun:test"
import { type Engine, testEngine } from "../../scripts/testing/engine.ts"
import { series } from "../../scripts/testing/mysql-series.ts"
import { probeInput, probeOutput, probePlugins, probeTransform } from "../../scripts/testing/probes.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { makeSubject, type Subject } from "../../scripts/testing/subject.ts"
import type { Component, Connection, Database, Source } from "../contract/index.ts"
import { databaseInput } from "./database-input.ts"
import type { DatabaseInputOptions } from "./options.ts"

/** The servers that others write to while they are read. */
const SERVERS = ["postgres", "mysql"] as const

async function both(subject: Subject, lite: Subject, ...components: Component[]): Promise<Engine> {
  return testEngine(
    {
      shop: { type: subject.database.id, settings: subject.settings },
      lite: { type: "sqlite", settings: lite.settings },
    },
    { plugins: probePlugins(...components) },
  )
}

function step(subject: Subject, id: "in" | "out", config: object) {
  const source = subject.database.id === "sqlite" ? "lite" : "shop"
  return { id, use: `${subject.database.id}-${id}put`, config: { dataSource: source, ...config } }
}

/** Rows with a clock, row 0, whose value counts the transactions: it says which of all states a copy shows. */
class Ledger {
  readonly states: ReadonlyMap<number, string>[] = []
  readonly #connection: Connection
  readonly #random: () => number

  constructor(connection: Connection, rows: number) {
    this.#connection = connection
    let state = 11
    this.#random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      return (state >>> 0) / 4_294_967_296
    }
    this.states.push(new Map(Array.from({ length: rows }, (_, id) => [id, id === 0 ? "0" : `row ${id}`])))
  }

  /** One transaction that inserts, updates and deletes, and moves the clock on. */
  async tick(): Promise<void> {
    const now = this.states.length
    const next = new Map(this.states.at(-1))
    const ids = [...next.keys()]
    const any = () => ids[1 + Math.floor(this.#random() * (ids.length - 1))]!
    const [changed, gone, added] = [any(), any(), 1_000_000 + now]
    next.set(0, String(now))
    next.set(changed, `changed ${now} ${"x".repeat(now % 200)}`)
    next.set(added, `added ${now}`)
    next.delete(gone)
    this.states.push(next)
    await this.#connection.begin()
    for (const [id, text] of [
      [0, next.get(0)],
      [changed, next.get(changed)],
    ] as const)
      if (text !== undefined) await this.#connection.execute(`UPDATE source SET text = '${text}' WHERE id = ${id}`)
    await this.#connection.execute(`INSERT INTO source VALUES (${added}, '${next.get(added)}')`)
    await this.#connection.execute(`DELETE FROM source WHERE id = ${gone}`)
    await this.#connection.commit()
  }
}

async function fill(connection: Connection, rows: number, text: (id: number) => string): Promise<void> {
  await connection.execute("CREATE TABLE source (id integer PRIMARY KEY, text varchar(1000))")
  for (let at = 0; at < rows; at += 1000) {
    const part = Array.from({ length: Math.min(1000, rows - at) }, (_, i) => `(${at + i}, '${text(at + i)}')`)
    await connection.execute(`INSERT INTO source VALUES ${part.join(", ")}`)
  }
}

describe.each(SERVERS)("%s under change", (name) => {
  test.each([
    ["one split", { parallel: 1 }, {}],
    ["four ranges of a key", { parallel: 4 }, { splitColumn: "id" }],
    ["as many splits as the table itself offers", { parallel: 4 }, {}],
  ])("database-input reads one state of a table that others write to, in %s", async (_, settings, input) => {
    const [subject, lite] = [await makeSubject(name), await makeSubject("sqlite")]
    await using writer = await subject.connect()
    await fill(writer, 6000, (id) => (id === 0 ? "0" : `row ${id}`))
    const ledger = new Ledger(writer, 6000)
    let over = false
    // Changes go on all the time, and every batch waits for one more.
    const waiting = new Set<() => void>()
    const writing = (async () => {
      while (!over) {
        await ledger.tick()
        for (const go of waiting) go()
        waiting.clear()
      }
    })()
    const slow = probeTransform("probe-slow", async function* (_config, _shape, batches) {
      for await (const batch of batches) {
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.add(resolve)
        await promise
        yield batch
      }
    })
    const engine = await both(subject, lite, slow)
    const report = await engine.run({
      version: 1,
      steps: [
        step(subject, "in", { table: "source", ...input }),
        { id: "slow", use: "probe-slow" },
        step(lite, "out", { table: "target", createTable: true }),
      ],
      hops: [
        { from: "in", to: "slow" },
        { from: "slow", to: "out" },
      ],
      settings: { batchRows: 200, ...settings },
    })
    over = true
    await writing
    expect(report.failure).toBeUndefined()
    await using reader = await lite.connect()
    const rows = await reader.query("SELECT id, text FROM target")
    const got = new Map(rows.map(([id, text]) => [Number(id), text!]))
    expect(got.size).toBe(rows.length)
    const now = Number(got.get(0))
    // The state is one in the middle: changes came before and after it.
    expect(now).toBeLessThan(ledger.states.length - 5)
    expect(got).toEqual(ledger.states[now] as Map<number, string>)
  })

  test("database-input goes on when one of its connections is lost, from the same snapshot", async () => {
    const { subject, engine, flow, rows } = await stopped(name, "one")
    const report = await engine.run(flow)
    expect(report.failure).toBeUndefined()
    expect(report.retries).toBeGreaterThan(0)
    expect(await rows()).toEqual([["6000", "6000"]])
    await using connection = await subject.connect()
    expect(await connection.query("SELECT count(*) FROM source")).toEqual([["0"]])
  })

  test("database-input shares the connections that are left when nobody can join the snapshot any more", async () => {
    const { subject, killer } = await large(name)
    const { input, config } = inputOf(subject, { table: "source", splitColumn: "id", splits: 4 })
    const session = { ...testSession(), run: { id: "run-left", fence: 1 } }
    await using source = await input.open(config, { columns: ["id", "text"], parallel: 2 }, session)
    const [first, second, third] = source.splits.map((split) => source.read(split, session)[Symbol.asyncIterator]())
    await first!.next()
    await second!.next()
    // Only the connection that reads the first split stays, not even the one that keeps the snapshot.
    const text = name === "postgres" ? "query" : "COALESCE(info, '')"
    const rest = await killer.query(others(name, `AND (${text} NOT LIKE '%source%' OR ${text} LIKE '%>=%')`))
    expect(rest.length).toBeGreaterThan(0)
    await end(
      name,
      killer,
      rest.map(([id]) => id!),
    )
    await expect(drained(second!)).rejects.toMatchObject({ reason: "connection" })
    await killer.execute("DELETE FROM source")
    const waiting = drained(third!)
    const whole = 1 + (await drained(first!))
    expect(whole).toBeGreaterThan(1)
    expect(await waiting).toBeGreaterThan(1)
    await killer.close()
  })

  test("database-input says how to go on when the snapshot itself is lost", async () => {
    const { engine, flow } = await stopped(name, "all")
    const report = await engine.run(flow, { runId: "run-7" })
    expect(report.failure).toMatchObject({ step: "in", reason: "connection" })
    expect(report.failure?.message).toMatch(/^Cannot go on reading: the snapshot is lost, [1-4] of 4 splits are left: /)
    expect(report.failure?.hint).toBe('Read the others from a new snapshot with "headrace resume run-7 --new-snapshot"')
  })

  test("database-input holds its tables from the snapshot on: nobody empties or rewrites them before they are read", async () => {
    const [subject, lite] = [await makeSubject(name), await makeSubject("sqlite")]
    await using other = await subject.connect()
    await fill(other, 2000, (id) => `row ${id}`)
    await other.execute(name === "postgres" ? "SET lock_timeout = '300ms'" : "SET SESSION lock_wait_timeout = 1")
    const reasons: string[] = []
    const attempt = async () => {
      for (const sql of ["TRUNCATE TABLE source", "ALTER TABLE source ADD COLUMN late integer NULL"])
        await other.execute(sql).catch((error: { reason: string }) => reasons.push(error.reason))
    }
    // Outputs are opened when inputs are, and before a row is read.
    const output = probeOutput({ open: attempt })
    const engine = await both(subject, lite, output)
    const report = await engine.run({
      version: 1,
      steps: [step(subject, "in", { table: "source", splitColumn: "id" }), { id: "out", use: "probe-output" }],
      hops: [{ from: "in", to: "out" }],
      settings: { parallel: 4 },
    })
    expect(reasons).toEqual(["conflict", "conflict"])
    expect(report.receipts.reduce((sum, { read }) => sum + read, 0)).toBe(2000)
  })

  test("database-input notices what was altered between plan and run", async () => {
    const alter = async (sql: string, schemaDrift: string, splits: number) => {
      const [subject, lite] = [await makeSubject(name), await makeSubject("sqlite")]
      await using other = await subject.connect()
      await other.execute("CREATE TABLE source (id integer NOT NULL, text varchar(10))")
      await other.execute("INSERT INTO source VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
      let isAltered = false
      const first = probeInput({
        open: async () => {
          if (!isAltered) await other.execute(sql)
          isAltered = true
        },
      })
      await using target = await lite.connect()
      await target.execute("CREATE TABLE target (id INTEGER, text TEXT, more INTEGER)")
      const engine = await both(subject, lite, first)
      const report = await engine.run({
        version: 1,
        steps: [
          { id: "first", use: "probe-input" },
          { id: "away", use: "discard-output" },
          step(subject, "in", { table: "source", splitColumn: "id", splits }),
          step(lite, "out", { table: "target" }),
        ],
        hops: [
          { from: "first", to: "away" },
          { from: "in", to: "out" },
        ],
        settings: { parallel: splits, schemaDrift },
      })
      const rows = await target.query("SELECT count(*), count(more) FROM target")
      return { message: report.failure?.message ?? "none", rows: rows[0] }
    }
    const said = (list: string) => `Cannot read table "source": it has changed since the run was planned: ${list}`
    const MORE = "ALTER TABLE source ADD COLUMN more integer DEFAULT 7"
    for (const splits of [1, 4]) {
      expect(await alter(MORE, "fail", splits)).toEqual({ message: said('column "more" is new'), rows: ["0", "0"] })
      expect(await alter(MORE, "ignore", splits)).toEqual({ message: "none", rows: ["4", "0"] })
      expect(await alter(MORE, "addColumns", splits)).toEqual({ message: "none", rows: ["4", "4"] })
    }
    const gone = "ALTER TABLE source DROP COLUMN text"
    const other = name === "postgres" ? "ALTER COLUMN id TYPE bigint" : "MODIFY id bigint NOT NULL"
    const loose = name === "postgres" ? "ALTER COLUMN id DROP NOT NULL" : "MODIFY id int NULL"
    for (const policy of ["ignore", "addColumns"]) {
      expect((await alter(gone, policy, 4)).message).toBe(said('column "text" is gone'))
      expect((await alter(`ALTER TABLE source ${other}`, policy, 1)).message).toBe(
        said('column "id" was int32 and is now int64'),
      )
      expect((await alter(`ALTER TABLE source ${loose}`, policy, 1)).message).toBe(
        said('column "id" was NOT NULL and may now be NULL'),
      )
    }
  }, 120_000)

  test("database-input of a later attempt ends the connections of an earlier one", async () => {
    const subject = await makeSubject(name)
    {
      await using connection = await subject.connect()
      await fill(connection, 100, (id) => `row ${id}`)
    }
    const attempt = async (fence: number) => {
      const { input, config } = inputOf(subject, { table: "source", splitColumn: "id" })
      const session = { ...testSession(), run: { id: "run-evict", fence } }
      return { source: await input.open(config, { columns: ["id"], parallel: 2 }, session), session }
    }
    const earlier = await attempt(1)
    const later = await attempt(2)
    expect(await count(later.source, later.session)).toBe(100)
    await expect(count(earlier.source, earlier.session)).rejects.toMatchObject({ reason: "connection" })
    await later.source[Symbol.asyncDispose]()
    await earlier.source[Symbol.asyncDispose]()
  })
})

test("database-input does not advise to go on from page ranges, which mean nothing in another snapshot", async () => {
  const { engine, flow } = await stopped("postgres", "all", {})
  const report = await engine.run(flow, { runId: "run-8" })
  expect(report.failure?.hint).toBe(
    'Read everything again with "headrace resume run-8 --restart": page ranges mean nothing in another snapshot',
  )
})

function inputOf(subject: Subject, options: object) {
  const input = databaseInput(subject.database as Database)
  const dataSource = { name: "subject", type: subject.database.id, settings: subject.settings }
  return { input, config: { dataSource, ...options } as DatabaseInputOptions }
}

async function count(source: Source, session: ReturnType<typeof testSession>): Promise<number> {
  let rows = 0
  for (const split of source.splits) for await (const item of source.read(split, session)) rows += item.rows
  return rows
}

/** Reads to the end; how many items came. */
async function drained(items: AsyncIterator<unknown>): Promise<number> {
  let count = 0
  while ((await items.next()).done !== true) count++
  return count
}

/** Connections of clients to the test's database but the one that asks. */
function others(name: (typeof SERVERS)[number], condition: string): string {
  return name === "postgres"
    ? `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() ${condition}`
    : `SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() ${condition}`
}

async function end(name: (typeof SERVERS)[number], killer: Connection, ids: readonly string[]): Promise<void> {
  for (const id of ids) await killer.query(name === "postgres" ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`)
}

/** A table of far more than the buffers on the way hold, so that the server is still sending when the first rows are here. */
async function large(name: (typeof SERVERS)[number]) {
  const subject = await makeSubject(name)
  const killer = await subject.connect()
  const [numbers, text] =
    name === "postgres" ? ["generate_series(0, 5999) AS seq", "text"] : [series(6000), "mediumtext"]
  await killer.execute(`CREATE TABLE source (id integer PRIMARY KEY, text ${text})`)
  await killer.execute(`INSERT INTO source SELECT seq, repeat('x', 10000) FROM ${numbers}`)
  return { subject, killer }
}

/**
 * A run whose connections to the source are ended by the server's hand while it reads, and whose rows are deleted at the
 * same moment, so that only the snapshot still has them. `all` ends every one.
 */
async function stopped(name: (typeof SERVERS)[number], which: "one" | "all", input: object = { splitColumn: "id" }) {
  const [{ subject, killer }, lite] = [await large(name), await makeSubject("sqlite")]
  let isOver = false
  const strike = async () => {
    if (isOver) return
    isOver = true
    await killer.execute("DELETE FROM source")
    const active = name === "postgres" ? "AND query LIKE '%source%' AND state = 'active'" : "AND info LIKE '%source%'"
    const ids = (await killer.query(others(name, which === "one" ? `${active} LIMIT 1` : ""))).map(([id]) => id!)
    if (ids.length === 0) throw new Error("nobody reads")
    await end(name, killer, ids)
    await killer.close()
  }
  const hand = probeTransform("probe-hand", async function* (_config, _shape, batches) {
    for await (const batch of batches) {
      await strike()
      yield batch
    }
  })
  const engine = await both(subject, lite, hand)
  const flow = {
    version: 1,
    steps: [
      step(subject, "in", { table: "source", splits: 4, ...input }),
      { id: "hand", use: "probe-hand" },
      step(lite, "out", { table: "target", createTable: true }),
    ],
    hops: [
      { from: "in", to: "hand" },
      { from: "hand", to: "out" },
    ],
    settings: { parallel: 2, batchRows: 100 },
  }
  const rows = async () => {
    await using connection = await lite.connect()
    return await connection.query("SELECT count(*), count(DISTINCT id) FROM target")
  }
  return { subject, engine, flow, rows }
}
