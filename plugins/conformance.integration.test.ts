import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Batch, Connection, Database, Output, Plugin, Transform } from "../core/contract/index.ts"
import { decodeConfig } from "../core/host/config.ts"
import { pluginError } from "../core/host/failure.ts"
import type { RunReport } from "../core/run/report.ts"
import { missingMysql } from "../scripts/services/mysql.ts"
import { mariadb, mysql, postgres } from "../scripts/services/services.ts"
import { type Engine, testEngine } from "../scripts/testing/engine.ts"
import { testSession } from "../scripts/testing/session.ts"
import { plugins } from "./registry.gen.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-conformance-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the suite has to know of a database type. One that the registry has and this table has not fails. */
interface Subject {
  settings(): Promise<Record<string, unknown>>
  /** Settings that must fail with the reason they are named after. */
  readonly wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Values that the system says it cannot hold, by kind of type: their rows are rejected. */
  readonly refuses: Readonly<Record<string, RegExp>>
  /** How a value that it does hold reads afterwards, by kind of type; otherwise exactly as it was. */
  readonly reads: Readonly<Record<string, (text: string) => string>>
  /** Types whose text the system puts into a form of its own; a SELECT of the text in that form. */
  readonly ownForm: Readonly<Record<string, (literal: string) => string>>
  /** A query that takes a minute; absent where the driver cannot stop one. */
  readonly slowQuery?: string
  /** Counts the connections to this database, the asking one apart. */
  readonly others: string
  /** Counts the slow queries that run. */
  readonly running?: string
}

const subjects: Readonly<Record<string, Subject>> = {
  postgres: {
    async settings() {
      const { host, port, user, password, createDatabase } = await postgres()
      return { host, port, user, password, database: await createDatabase("conformance") }
    },
    wrong: { connection: { port: 1 }, authentication: { password: "wrong" }, missing: { database: "no such" } },
    refuses: {},
    reads: { "string fixed": (text) => text + " ".repeat(10 - [...text].length) },
    ownForm: {
      json: (literal) => `SELECT ${literal}::jsonb::text`,
      interval: (literal) => `SELECT ${literal}::interval::text`,
    },
    slowQuery: "SELECT pg_sleep(60)::text AS a",
    others:
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    running:
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()",
  },
  mysql: {
    async settings() {
      const { host, port, user, password, createDatabase } = await mariadb()
      return { host, port, user, password, database: await createDatabase("conformance") }
    },
    wrong: { connection: { port: 1 }, authentication: { password: "wrong" }, missing: { database: "no such" } },
    refuses: {
      float32: /NaN|Infinity|^3\.4028235e\+38$/,
      float64: /NaN|Infinity/,
      decimal: /NaN|^1e78$|^10{60,}$|^-?\d{36,}|^-?0\.0{29}/,
      date: /infinity|BC|^\d{5}/,
      timestamp: /infinity|BC|^\d{5}/,
      "timestamp zone": /infinity|BC|^\d{5}|^(?!19[7-9]|20[0-2]|203[0-8])|^1970-01-01 00:00:00|^2038/,
      interval: /year|mons|\d{3} days|[4-9]\d days|3[4-9] days/,
    },
    reads: {
      boolean: (text) => (text === "true" ? "1" : "0"),
      float32: positiveZero,
      float64: positiveZero,
      "string fixed": (text) => text.replace(/ +$/, ""),
    },
    ownForm: {
      decimal: (literal) => `SELECT CAST(${literal} AS DECIMAL(65,30))`,
      time: (literal) => `SELECT CAST(${literal} AS TIME(6))`,
      "time(3)": (literal) => `SELECT CAST(${literal} AS TIME(3))`,
    },
    slowQuery: "SELECT SLEEP(60) AS a",
    others: "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    running: "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'",
  },
  sqlite: {
    settings: async () => ({ path: join(folder, "conformance.db") }),
    wrong: { missing: { path: join(folder, "no", "such", "folder", "a.db") } },
    refuses: { float32: /NaN/, float64: /NaN/ },
    reads: { float32: positiveZero, float64: positiveZero },
    ownForm: {},
    others: "SELECT 0",
  },
}

const TYPES = [
  ...["boolean", "int16", "int32", "int64", "uint64", "float32", "float64", "decimal", "decimal(12,2)"],
  ...[
    "decimal(38,10)",
    "string",
    "string(10)",
    "char(10)",
    "bytes",
    "bytes(4)",
    "date",
    "time",
    "time(3)",
    "timestamp",
  ],
  ...["timestamp(0)", "timestamptz", "timestamptz(3)", "interval", "json", "uuid"],
]
const ROWS = 600
/** Longer than a test may take: a component that does not stop fails its test. */
const PATIENCE_MS = 600_000
const endless: Step = {
  id: "made",
  use: "rows-input",
  config: { rows: 1_000_000_000, columns: [{ name: "a", type: "string" }] },
}

const databases = plugins.flatMap(({ components }) =>
  components.filter((component): component is Database => component.kind === "database"),
)

/** Another server of a type, which differs in what its tests have to know. */
interface Variant {
  readonly id: string
  readonly name: string
  readonly missing: string | undefined
  readonly subject: Subject
}

function mysqlVariant({
  refuses,
  ownForm,
  reads: { float32: _, float64: _float64, ...reads },
  ...rest
}: Subject): Variant {
  const subject = {
    ...rest,
    async settings() {
      const { host, port, user, password, createDatabase } = await mysql()
      return { host, port, user, password, database: await createDatabase("conformance") }
    },
    // Integers of 64 bits and doubles are all the numbers that its JSON has.
    refuses: { ...refuses, json: /\d{20}\.\d/ },
    ownForm: { ...ownForm, json: (literal: string) => `SELECT CAST(${literal} AS JSON)` },
    reads,
  }
  return { id: "mysql", name: "MySQL", missing: missingMysql(), subject }
}

const variants = [mysqlVariant(subjects.mysql!)]

test("conformance knows every database of the registry, and no other", () => {
  expect(Object.keys(subjects).sort()).toEqual(databases.map(({ id }) => id).sort())
})

for (const database of databases) {
  const { id } = database
  const subject = subjects[id]
  if (subject !== undefined) describe(id, () => conformanceOf(database, subject))
  for (const { name, missing, subject } of variants.filter((variant) => variant.id === id)) {
    if (missing !== undefined) console.error(`SKIPPED: conformance of ${id} on ${name}. ${missing}`)
    describe.skipIf(missing !== undefined)(`${id} on ${name}`, () => conformanceOf(database, subject))
  }
}

function conformanceOf(database: Database, subject: Subject): void {
  const { id } = database
  let settings: Record<string, unknown>
  let probe: Probe
  beforeAll(async () => {
    settings = await subject.settings()
    probe = makeProbe({ subject: { type: id, settings } })
  })

  test.each(TYPES)(`${id} gives back nasty values of %s as they were, or rejects them`, async (type) => {
    const table = `t_${type.replace(/\W+/g, "_")}`
    const columns = [
      { name: "id", type: "int64", sequence: true },
      { name: "v", type, nullShare: 0.1 },
    ]
    const made = { id: "made", use: "rows-input", config: { rows: ROWS, nasty: true, columns } }
    const sent = await probe.rows([made])
    const output = {
      id: "written",
      use: `${id}-output`,
      config: { dataSource: "subject", table, createTable: true, allowLossy: true, keyColumns: ["id"] },
    }
    probe.engine.rejections.length = 0
    const report = await probe.engine.run(flow([made, output], { errorLimit: ROWS }))
    expect(report.failure).toBeUndefined()
    expect(report.steps.map(({ rowsOut }) => rowsOut)).toEqual([ROWS, ROWS - report.rejected])
    const rejected = new Set(probe.engine.rejections.map(({ row }) => sent[row]![0]))
    const back = new Map(
      (await probe.rows([{ id: "read", use: `${id}-input`, config: { dataSource: "subject", table } }])).map(
        ([key, value]) => [key, value],
      ),
    )

    const kind = kindOf(type)
    const refuses = subject.refuses[kind]
    const held = sent.filter(([key]) => !rejected.has(key))
    const refused = sent.filter(([key]) => rejected.has(key)).map(([, value]) => value)
    expect(refused.filter((value) => typeof value !== "string" || !refuses?.test(value))).toEqual([])
    const expected = await inOwnForm(
      database,
      settings,
      subject,
      type,
      held.map(([, value]) => value),
    )
    const wrong = held.flatMap(([key, value], i) =>
      back.get(key) === expected[i] ? [] : [[value, expected[i], back.get(key)]],
    )
    expect(wrong.slice(0, 10)).toEqual([])
    expect(back.size).toBe(held.length)
    expect(held.length).toBeGreaterThan(ROWS / 2)
  })

  test(`${id} evaluates a literal to the text that it was made of`, async () => {
    await using connection = await connect(database, settings)
    for (const value of ["", "it's", "\\", "\\'; --", 'a"b`c', "日本語 😀", "a\nb\t%_", "x'41'", "$1 ? :x"]) {
      expect(await connection.query(`SELECT ${database.dialect.literal(value)}`)).toEqual([[value]])
    }
  })

  test(`${id} rejects the rows that a key refuses, and loads the others`, async () => {
    const output = step(`${id}-output`, {
      dataSource: "subject",
      table: "twice",
      createTable: true,
      keyColumns: ["id"],
    })
    const rows = (count: number) =>
      step("rows-input", { rows: count, columns: [{ name: "id", type: "int64", sequence: true }] })
    await probe.engine.run(flow([rows(10), output]))
    probe.engine.rejections.length = 0
    const report = await probe.engine.run(flow([rows(310), output], { errorLimit: 10 }))
    expect(report.failure).toBeUndefined()
    expect(report.receipts[0]?.outputs).toMatchObject([{ step: output.id, received: 310, written: 300, rejected: 10 }])
    expect(probe.engine.rejections.map(({ row }) => row)).toEqual(Array.from({ length: 10 }, (_, row) => row))
  })

  test(`${id} ends at once when a run that writes is cancelled, and leaves nothing`, async () => {
    const output = step(`${id}-output`, { dataSource: "subject", table: "cancelled", createTable: true })
    const report = await probe.cancelled(flow([endless, step("watch", {}), output], { cancelTimeoutMs: PATIENCE_MS }))
    expect(report).toMatchObject({ status: "cancelled", failure: { reason: "cancelled" } })
    await using connection = await connect(database, settings)
    expect(await connection.describeTable({ name: "cancelled" })).toBeUndefined()
    expect(await quiet(connection, subject.others)).toBe(true)
  })

  test(`${id} ends at once when a run that reads is cancelled, and leaves nothing`, async () => {
    const output = step(`${id}-output`, { dataSource: "subject", table: "many", createTable: true })
    const many = step("rows-input", { rows: 60_000, columns: [{ name: "a", type: "string" }] })
    expect((await probe.engine.run(flow([many, output]))).status).toBe("succeeded")
    const input = step(`${id}-input`, { dataSource: "subject", table: "many" })
    const steps = [input, step("watch", {}), step("discard-output", {})]
    const report = await probe.cancelled(flow(steps, { cancelTimeoutMs: PATIENCE_MS }))
    expect(report).toMatchObject({ status: "cancelled", failure: { reason: "cancelled" } })
    await using connection = await connect(database, settings)
    expect(await quiet(connection, subject.others)).toBe(true)
  })
  const { slowQuery, running } = subject
  if (slowQuery !== undefined && running !== undefined)
    test(`${id} stops a statement that computes when the run is cancelled`, async () => {
      await using connection = await connect(database, settings)
      const input = step(`${id}-input`, { dataSource: "subject", query: slowQuery })
      const controller = new AbortController()
      const slow = flow([input, step("discard-output", {})], { cancelTimeoutMs: PATIENCE_MS })
      const ended = probe.engine.run(slow, { signal: controller.signal })
      await until(async () => (await connection.query(running))[0]![0] !== "0")
      controller.abort()
      expect((await ended).status).toBe("cancelled")
      expect(await quiet(connection, subject.others)).toBe(true)
    })

  test(`${id} gives a reason of the contract for every failure`, async () => {
    for (const [reason, wrong] of Object.entries(subject.wrong)) {
      const engine = testEngine({ subject: { type: id, settings: { ...settings, ...wrong } } })
      const failed = engine.run(
        flow([step(`${id}-input`, { dataSource: "subject", table: "t" }), step("discard-output", {})], {
          connectRetries: 0,
        }),
      )
      expect(await reasonOf(failed), JSON.stringify(wrong)).toBe(reason)
    }
    const read = (config: Record<string, unknown>) =>
      probe.engine.run(flow([step(`${id}-input`, { dataSource: "subject", ...config }), step("discard-output", {})]))
    expect(await reasonOf(read({ table: "no_such_table" }))).toBe("missing")
    expect(await reasonOf(read({ query: "SELECT no_such_column FROM t_int32" }))).toBe("missing")
    expect(await reasonOf(read({ query: "SELECT FROM WHERE" }))).toBe("config")
    expect(await reasonOf(read({ table: "t_int32", columns: ["nope"] }))).toBe("missing")
    expect(await reasonOf(read({ table: "t_int32", where: "no_such_function(id) = 1" }))).toBe("missing")
    const write = (config: Record<string, unknown>, rows = 10) => {
      const made = step("rows-input", { rows, columns: [{ name: "id", type: "int64", sequence: true }] })
      return probe.engine.run(flow([made, step(`${id}-output`, { dataSource: "subject", ...config })]))
    }
    expect(await reasonOf(write({ table: "no_such_table" }))).toBe("missing")
    expect(await reasonOf(write({ table: "keyed", createTable: true, keyColumns: ["id"] }))).toBe(undefined)
    // The first row whose key exists is rejected, and none may be.
    expect(await reasonOf(write({ table: "keyed" }))).toBe("data")
    expect(await reasonOf(write({ table: "keyed", mode: "overwriteRows", before: ["SELECT FROM WHERE"] }))).toBe(
      "config",
    )
    expect(await reasonOf(write({ table: "keyed", mode: "overwriteRows", after: ["DROP TABLE no_such_table"] }))).toBe(
      "missing",
    )
  })
}

type Step = { readonly id: string; readonly use: string; readonly config: Record<string, unknown> }
type Text = string | null | undefined
type TextRow = readonly Text[]

interface Probe {
  readonly engine: Engine
  /** What arrives behind these steps, as canonical text. */
  rows(steps: readonly Step[]): Promise<TextRow[]>
  /** Runs a flow that is cancelled when some batches have passed its `watch` step. */
  cancelled(flow: unknown): Promise<RunReport>
}

function makeProbe(sources: Parameters<typeof testEngine>[0]): Probe {
  const collected: TextRow[] = []
  let passed: () => void = () => {}
  const engine = testEngine(sources, { plugins: [...plugins, probePlugin(collected, () => passed())] })
  return {
    engine,
    cancelled(document) {
      const controller = new AbortController()
      let batches = 0
      passed = () => void (++batches === 20 && controller.abort())
      return engine.run(document, { signal: controller.signal })
    },
    async rows(steps) {
      collected.length = 0
      const report = await engine.run(flow([...steps, { id: "collected", use: "collect-output", config: {} }]))
      expect(report.failure).toBeUndefined()
      return collected.slice()
    },
  }
}

function flow(steps: readonly Step[], settings: Record<string, unknown> = {}) {
  const hops = steps.slice(1).map((step, i) => ({ from: steps[i]!.id, to: step.id }))
  return { version: 1, steps, hops, settings: { batchRows: 100, ...settings } }
}

/** An output that keeps what comes, and a transform that tells of every batch. */
function probePlugin(collected: TextRow[], passed: () => void): Plugin {
  const none = { config: { type: "object", properties: {}, additionalProperties: false }, examples: [] } as const
  const watch: Transform<unknown> = {
    ...none,
    kind: "transform",
    id: "watch",
    title: "Watch",
    summary: "Tells of every batch.",
    plan: (_, { input, wanted }) => {
      const columns = input.filter(({ name }) => wanted?.includes(name) ?? true)
      return { columns, requires: columns.map(({ name }) => name), issues: [] }
    },
    async *apply(_config, _shape, batches) {
      for await (const batch of batches) {
        passed()
        yield batch
      }
    },
  }
  const output: Output<unknown> = {
    kind: "output",
    id: "collect-output",
    title: "Collector",
    summary: "Keeps rows for the test.",
    ...none,
    plan: async (_, input) => ({ uses: input.map(({ name }) => name), encodings: [], issues: [], notes: [] }),
    open: async () => ({
      async write(_, rows, { batches }) {
        let written = 0
        for await (const batch of rows as AsyncIterable<Batch>) {
          for (let row = 0; row < batch.rows; row++)
            collected.push(batch.vectors.map((vector) => batches.valueText(vector, row)))
          written += batch.rows
        }
        return { written, guarantee: "at-least-once" }
      },
      finish: async () => {},
      abort: async () => {},
      async [Symbol.asyncDispose]() {},
    }),
  }
  return { name: "probe", version: "1.0.0", engine: 1, permissions: {}, components: [watch, output] }
}

async function inOwnForm(
  database: Database,
  settings: unknown,
  subject: Subject,
  type: string,
  values: readonly Text[],
): Promise<Text[]> {
  const form = subject.ownForm[type]
  const reads = subject.reads[kindOf(type)] ?? ((value: string) => value)
  if (form === undefined) return values.map((value) => (typeof value === "string" ? reads(value) : value))
  await using connection = await connect(database, settings)
  const results: Text[] = []
  for (const value of values)
    results.push(typeof value === "string" ? await evaluated(form(database.dialect.literal(value)), connection) : value)
  return results
}

async function evaluated(sql: string, connection: Connection): Promise<Text> {
  return (await connection.query(sql))[0]?.[0]
}

async function connect(database: Database, settings: unknown): Promise<Connection> {
  const decoded = decodeConfig(database.config, settings)
  if ("problems" in decoded) throw new Error(decoded.problems[0]!.message)
  return await database.connect(decoded.config, testSession())
}

function step(use: string, config: Record<string, unknown>): Step {
  return { id: `step-${use}`, use, config }
}

/** A server notices a moment later that a connection is closed. */
async function quiet(connection: Connection, others: string): Promise<boolean> {
  await until(async () => (await connection.query(others))[0]![0] === "0")
  return true
}

/** The test's own limit ends this. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(20)
}

/** Why a run did not come about, or failed; undefined: it succeeded. */
async function reasonOf(run: Promise<RunReport>): Promise<string | undefined> {
  const report = await run.catch((error: unknown) => ({ status: "refused", failure: pluginError(error) }))
  return report.failure?.reason
}

function kindOf(type: string): string {
  if (type.startsWith("char")) return "string fixed"
  return type.startsWith("timestamptz") ? "timestamp zone" : type.replace(/\(.*/, "")
}

function positiveZero(text: string): string {
  return text === "-0" ? "0" : text
}
