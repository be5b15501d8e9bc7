import { describe, expect, test } from "bun:test"
import { type Engine, testEngine } from "../../scripts/testing/engine.ts"
import { makeSubject, type Subject } from "../../scripts/testing/subject.ts"

interface Kind {
  readonly type: string
  /** The n-th value, growing with n; two in a row are equal. */
  readonly value: (n: number) => string
  readonly overlap: string
  /** The end that a run over the values up to n = 99 notes. */
  readonly mark: string
}

const two = (n: number) => String(n).padStart(2, "0")
const half = (n: number) => Math.floor(n / 2)
const clock = (n: number) => `2024-02-29 23:${two(half(n))}:00.000001`

const COMMON: Readonly<Record<string, Kind>> = {
  integer: { type: "integer", value: (n) => String(half(n) - 10), overlap: "5", mark: "39" },
  bigint: { type: "bigint", value: (n) => `90071992547409${two(half(n))}`, overlap: "5", mark: "9007199254740949" },
  decimal: {
    type: "decimal(30,4)",
    value: (n) => `1234567890123456789012.00${two(half(n))}`,
    overlap: "0.0005",
    mark: "1234567890123456789012.0049",
  },
  date: {
    type: "date",
    value: (n) => `2024-01-${two(1 + Math.min(half(n), 30))}`,
    overlap: "5 days",
    mark: "2024-01-31",
  },
}
const KINDS: Readonly<Record<"postgres" | "mysql", Readonly<Record<string, Kind>>>> = {
  postgres: {
    ...COMMON,
    unconstrained: { ...COMMON.decimal!, type: "numeric" },
    wallClock: { type: "timestamp", value: clock, overlap: "5 minutes", mark: "2024-02-29 23:49:00.000001" },
    instant: { type: "timestamptz", value: clock, overlap: "5 minutes", mark: "2024-02-29 23:49:00.000001+00" },
    seconds: {
      type: "timestamp(0)",
      value: (n) => `2024-02-29 23:${two(half(n))}:00`,
      overlap: "299 seconds 1 millisecond",
      mark: "2024-02-29 23:49:00",
    },
  },
  mysql: {
    ...COMMON,
    unsigned: {
      type: "bigint unsigned",
      value: (n) => `184467440737095516${two(Math.min(half(n), 15))}`,
      overlap: "5",
      mark: "18446744073709551615",
    },
    wallClock: { type: "datetime(6)", value: clock, overlap: "5 minutes", mark: "2024-02-29 23:49:00.000001" },
    instant: { type: "timestamp(6)", value: clock, overlap: "5 minutes", mark: "2024-02-29 23:49:00.000001+00" },
    seconds: {
      type: "datetime",
      value: (n) => `2024-02-29 23:${two(half(n))}:00`,
      overlap: "299 seconds 1 millisecond",
      mark: "2024-02-29 23:49:00",
    },
  },
}

function engineOf(subject: Subject): Engine {
  return testEngine({ shop: { type: subject.database.id, settings: subject.settings } })
}

function flow(subject: Subject, incremental: object, mode: string, parallel: number) {
  return {
    version: 1,
    name: "load",
    steps: [
      {
        id: "in",
        use: `${subject.database.id}-input`,
        config: { dataSource: "shop", table: "source", splitColumn: "id", incremental },
      },
      { id: "out", use: `${subject.database.id}-output`, config: { dataSource: "shop", table: "target", mode } },
    ],
    hops: [{ from: "in", to: "out" }],
    settings: { parallel },
  }
}

async function run(engine: Engine, document: ReturnType<typeof flow>, mark?: string) {
  const report = await engine.run(document, mark === undefined ? {} : { marks: { in: mark } })
  if (report.status !== "succeeded") throw new Error(JSON.stringify(report.failure))
  return {
    read: report.receipts.reduce((sum, { read }) => sum + read, 0),
    mark: report.marks.in,
    splits: report.splits,
  }
}

async function fill(subject: Subject, values: readonly (readonly [number, string | null])[]): Promise<void> {
  await using connection = await subject.connect()
  const rows = values.map(([id, value]) => `(${id}, ${value === null ? "NULL" : `'${value}'`})`)
  await connection.execute(`INSERT INTO source VALUES ${rows.join(", ")}`)
}

async function ids(subject: Subject): Promise<readonly number[]> {
  await using connection = await subject.connect()
  return (await connection.query("SELECT id FROM target ORDER BY id")).map(([id]) => Number(id))
}

describe.each(["postgres", "mysql"] as const)("incremental from %s", (name) => {
  test.each(Object.entries(KINDS[name]))(
    "database-input loads by a column of type %s: no gap, nothing twice, and late rows within the overlap",
    async (kind, { type, value, overlap, mark }) => {
      const parallel = kind in COMMON ? 4 : 1
      const subject = await makeSubject(name)
      {
        await using connection = await subject.connect()
        for (const table of ["source", "target"])
          await connection.execute(`CREATE TABLE ${table} (id integer PRIMARY KEY, k ${type} NULL)`)
      }
      const engine = engineOf(subject)
      const append = flow(subject, { column: "k" }, "append", parallel)
      const numbers = Array.from({ length: 100 }, (_, n) => n)
      // Filled in three portions, with NULLs between, which belong to none.
      const portion = (from: number, to: number) =>
        numbers.slice(from, to).map((n): [number, string | null] => [n, n % 20 === 7 ? null : value(n)])
      await fill(subject, portion(0, 40))
      const first = await run(engine, append)
      expect(first).toMatchObject({ read: 38, splits: parallel })
      await fill(subject, portion(40, 80))
      const second = await run(engine, append, first.mark)
      await fill(subject, portion(80, 100))
      const third = await run(engine, append, second.mark)
      expect(third.mark).toBe(mark)
      expect(await run(engine, append, third.mark)).toMatchObject({ read: 0, mark })
      const whole = numbers.filter((n) => n % 20 !== 7)
      // Values that equal an earlier mark are read with it or not at all: the overlap is for those.
      const got = await ids(subject)
      expect(
        whole.filter((n) => !got.includes(n)).every((n) => value(n) === first.mark || value(n) === second.mark),
      ).toBe(true)
      await fill(subject, [
        [1000, value(99)],
        [1001, value(94)],
        [1002, value(0)],
      ])
      const merge = flow(subject, { column: "k", overlap }, "updateRows", parallel)
      expect((await run(engine, merge, mark)).mark).toBe(mark)
      expect((await ids(subject)).filter((id) => id >= 1000)).toEqual([1000, 1001])
    },
  )

  test("database-input finds in the overlap what was committed after the run that passed it", async () => {
    const subject = await makeSubject(name)
    await using late = await subject.connect()
    for (const table of ["source", "target"])
      await late.execute(`CREATE TABLE ${table} (id integer PRIMARY KEY, k bigint NOT NULL)`)
    const engine = engineOf(subject)
    const merge = flow(subject, { column: "k", overlap: "10" }, "updateRows", 2)
    await late.begin()
    await late.execute("INSERT INTO source VALUES (5, 5)")
    await fill(subject, [
      [1, "1"],
      [10, "10"],
    ])
    const first = await run(engine, merge)
    expect(first).toMatchObject({ read: 2, mark: "10" })
    await late.commit()
    expect(await run(engine, merge, first.mark)).toMatchObject({ read: 3, mark: "10" })
    expect(await ids(subject)).toEqual([1, 5, 10])
  })

  test("database-input loads from a query and several tables by one mark", async () => {
    const subject = await makeSubject(name)
    await using connection = await subject.connect()
    for (const table of ["source", "s1", "s2", "target"])
      await connection.execute(`CREATE TABLE ${table} (id integer PRIMARY KEY, k bigint NOT NULL)`)
    await connection.execute("INSERT INTO s1 VALUES (1, 10), (2, 20)")
    await connection.execute("INSERT INTO s2 VALUES (3, 30), (4, 5)")
    const engine = engineOf(subject)
    const document = flow(subject, { column: "k" }, "append", 4)
    const from = (config: object) => ({
      ...document,
      steps: [
        { ...document.steps[0]!, config: { dataSource: "shop", incremental: { column: "k" }, ...config } },
        document.steps[1]!,
      ],
    })
    const tables = from({ table: "s[1-2]" }) as typeof document
    expect(await run(engine, tables)).toMatchObject({ read: 4, mark: "30" })
    await connection.execute("INSERT INTO s1 VALUES (5, 40)")
    expect(await run(engine, tables, "30")).toMatchObject({ read: 1, mark: "40" })
    const query = from({ query: "SELECT id + 100 AS id, k FROM s1", splitColumn: "id" }) as typeof document
    expect(await run(engine, query, "10")).toMatchObject({ read: 2, mark: "40" })
    expect(await ids(subject)).toEqual([1, 2, 3, 4, 5, 102, 105])
  })
})

test("database-input refuses infinity as an end, and reads up to it when told to leave it out", async () => {
  const subject = await makeSubject("postgres")
  await using connection = await subject.connect()
  for (const table of ["source", "target"])
    await connection.execute(`CREATE TABLE ${table} (id integer PRIMARY KEY, k timestamp)`)
  await connection.execute("INSERT INTO source VALUES (1, '0044-03-15 BC'), (2, '2024-01-01'), (3, 'infinity')")
  const engine = engineOf(subject)
  const report = await engine.run(flow(subject, { column: "k" }, "append", 1))
  expect(report.failure).toMatchObject({
    reason: "data",
    message: 'Cannot load by column "k": its largest value "infinity" is no end',
    hint: "Leave such rows out with where",
  })
  const document = flow(subject, { column: "k" }, "append", 1)
  const where = { ...document.steps[0]!, config: { ...document.steps[0]!.config, where: "k < 'infinity'" } }
  const steps = [where, document.steps[1]!]
  expect(await run(engine, { ...document, steps } as typeof document)).toMatchObject({
    read: 2,
    mark: "2024-01-01 00:00:00",
  })
  expect(await ids(subject)).toEqual([1, 2])
})
