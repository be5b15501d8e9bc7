import { expect, test } from "bun:test"
import { engineFor, flowOf, LENIENT, mysqlSystem, postgresSystem, type System } from "../../scripts/nasty/systems.ts"
import { TAB_SEPARATED } from "../_sql/tab-separated.ts"
import { onServers, type TestServer } from "./testdata/servers.ts"

/** What a copy leaves behind, in either way. */
interface Outcome {
  readonly encodings: readonly (string | undefined)[]
  readonly status: string
  readonly failure: unknown
  readonly rejected: readonly unknown[]
  readonly adjusted: readonly unknown[]
  readonly rows: readonly (readonly (string | null)[])[]
}

interface Copy {
  readonly source: string
  /** Makes the target; absent: it is created. Runs before each copy. */
  readonly target?: string
  readonly options?: Readonly<Record<string, unknown>>
  readonly query?: string
  readonly select?: string
  readonly settings?: Readonly<Record<string, unknown>>
}

/** The same copy by forwarded text and by batches. */
async function bothWays(my: System, copy: Copy): Promise<{ forwarded: Outcome; typed: Outcome }> {
  const pg = await postgresSystem()
  await pg.sql(copy.source)
  const outcome = async (forwarding: boolean): Promise<Outcome> => {
    await my.sql(`DROP TABLE IF EXISTS t; ${copy.target ?? ""}`)
    const from = { at: pg, ...(copy.query === undefined ? { table: "t" } : { query: copy.query }) }
    const to = { at: my, table: "t", createTable: copy.target === undefined, ...copy.options }
    const engine = engineFor(from, to)
    const flow = flowOf(from, to, { ...LENIENT, forwarding, ...copy.settings })
    const plan = await engine.plan(flow)
    const report = await engine.run(flow)
    const rejected = engine.rejections
      .map(({ runId: _, split: _split, ...rest }) => rest)
      .toSorted((a, b) => a.row - b.row || String(a.column).localeCompare(String(b.column)))
    const adjusted = report.adjusted.map(({ policy, column, values }) => [policy, column, values])
    const rows = await my.sql(copy.select ?? "SELECT * FROM t ORDER BY 1")
    const encodings = plan.steps.map(({ encoding }) => encoding)
    return { encodings, status: report.status, failure: report.failure, rejected, adjusted, rows }
  }
  return { forwarded: await outcome(true), typed: await outcome(false) }
}

const TEXTS = [
  "plain",
  "",
  " both ends ",
  "tab\tline\nreturn\rback\\slash\\N\\.\\f\\v\\\\f",
  "bell\bfeed\fvertical\vend",
  "\\f",
  "\f",
  "\v\v",
  "\\",
  "\\\\",
  "\\N",
  "NULL",
  "\n",
  "\t",
  "\r\n",
  "'\"`$ ; -- /*",
  "😀 𝔘 é \u202e \u{10ffff} \ufeff \u0001\u001f\u007f",
]
const HOSTILE = `CREATE TABLE t (id int PRIMARY KEY, a text, b text, c text);
  INSERT INTO t ${TEXTS.flatMap((text, i) => {
    const literal = quoted(text)
    return [`SELECT ${i * 2}, ${literal}, NULL, ${literal}`, `SELECT ${i * 2 + 1}, NULL, ${literal}, ${literal}`]
  }).join(" UNION ALL ")}`

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

const ALL = `CREATE TABLE t (id bigint PRIMARY KEY, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision,
    n numeric(12,2), n38 numeric(38,10), flag boolean, d date, ts timestamp, ts3 timestamp(3), tz timestamptz, tod time,
    tod0 time(0), u uuid, j json, jb jsonb, raw bytea, v varchar(20), c char(5), x text, i interval, a int[], ip inet, o oid);
  INSERT INTO t VALUES
    (1, -32768, -2147483648, -9223372036854775808, -3.4e38, -1.7976931348623157e308, -9999999999.99,
     -1234567890123456789012345678.0123456789, true, '0001-01-01', '0001-01-01', '1999-12-31 23:59:59.999',
     '1970-01-01 00:00:01+00', '00:00:00', '23:59:59', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" : "\\\\n\\t"}',
     '{"b": [1, 2.50]}', '\\x000a095c27ff', 'váľué😀', 'ab', 'x', '1 year -2 days +03:04:05.000006', '{1,NULL,3}',
     '10.0.0.1/8', 4294967295),
    (2, 32767, 2147483647, 9223372036854775807, 1.17549435e-38, 4.9e-324, 9999999999.99, 0, false, '9999-12-31',
     '9999-12-31 23:59:59.999999', '2024-02-29 12:00:00.5', '2038-01-19 03:14:07.999999+00', '24:00:00', '24:00:00',
     '00000000-0000-0000-0000-000000000000', 'null', '"text"', '', '', '', '', '0', '{}', '::1', 0),
    (3, 0, 0, 0, 0.1, 0.1, 0.00, 1e-10, NULL, '2024-02-29', '2024-02-29 23:59:59.000001', NULL,
     '2024-06-30 12:00:00.123456+05:30', '12:34:56.7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 1, 1, 1, 1e20, 1e300, 1.10, 12, true, '1000-10-10', '1970-01-01', NULL, '1970-01-01 00:00:01.5+00',
     '00:00:00.000001', NULL, NULL, '[]', '{}', '\\x00', 'é', 'ééééé', E'\\f\\v\\\\f', '-00:00:00.000001', NULL, NULL, 1)`

/** MySQL has a form of its own for JSON. */
const all = ({ mariadb }: TestServer) => (mariadb ? ALL : ALL.replace("j json, jb jsonb", "j text, jb text"))

const MANY = `CREATE TABLE t (id int PRIMARY KEY, v varchar(10), n numeric(8,2), x text);
  INSERT INTO t SELECT i, CASE WHEN i % 1009 = 7 THEN 'too long' WHEN i % 5 = 0 THEN NULL ELSE 'v' || i % 9 END, i * 0.01,
    repeat('x', i % 40) FROM generate_series(1, 90000) AS i`

const KEYED = `CREATE TABLE t (id int NOT NULL, k int, v varchar(9), x text);
  INSERT INTO t SELECT i % 3000, i % 3000, CASE WHEN i = 5000 THEN 'too long' ELSE 'v' || i END, E'a\\tb\\\\' FROM generate_series(1, 9000) AS i`
const KEYED_TARGET = (keys: string) =>
  `CREATE TABLE t (id int NOT NULL, k int, v varchar(6), x text, other int DEFAULT 7, ${keys});
   INSERT INTO t VALUES (1, 1, 'one', 'old', 1), (2, 2, 'two', 'old', 1), (999999, 999999, 'v8999', 'old', 1)`

onServers((server) => {
  const system = async () => mysqlSystem("", await server.shared())
  const copied = async (copy: Copy, my?: System) => bothWays(my ?? (await system()), copy)

  /** Equal in everything; returns what both are. */
  async function same(copy: Copy, my?: System): Promise<Outcome> {
    const { forwarded, typed } = await copied(copy, my)
    expect(forwarded.encodings).toEqual([TAB_SEPARATED, TAB_SEPARATED])
    expect({ ...forwarded, encodings: [] }).toEqual({ ...typed, encodings: [] })
    expect(forwarded.status).toBe("succeeded")
    return forwarded
  }

  const strict = {
    source: `CREATE TABLE t (id int PRIMARY KEY, a int, b text, c varchar(9));
    INSERT INTO t VALUES (1, 1, 'x', 'x'), (2, NULL, 'x', 'x'), (3, 3, NULL, 'x'), (4, NULL, NULL, 'x'), (5, 5, 'x', NULL)`,
    target: "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text NOT NULL, c varchar(9) NOT NULL DEFAULT 'q')",
  }

  test("mysql shows a boolean of a forwarded row that it rejects as the source has it", async () => {
    const { rejected, rows } = await same({
      source: `CREATE TABLE t (id int PRIMARY KEY, flag boolean, wide boolean, v text);
        INSERT INTO t VALUES (1, true, false, 'short'), (2, true, NULL, 'too long'), (3, NULL, true, 'also too long'), (4, false, true, '')`,
      target: "CREATE TABLE t (id int PRIMARY KEY, flag boolean, wide bigint unsigned, v varchar(5))",
    })
    expect(rows).toHaveLength(2)
    expect(rejected).toMatchObject([
      { record: { id: "2", flag: "true", wide: null, v: "too long" } },
      { record: { id: "3", flag: null, wide: "true", v: "also too long" } },
    ])
  })

  if (server.major < 9) {
    test("mysql forwards nothing that may be NULL where it may not, to a server that would refuse good rows then", async () => {
      const { forwarded, typed } = await copied(strict)
      expect(forwarded.encodings).toEqual([undefined, undefined])
      expect(forwarded).toEqual(typed)
      expect(forwarded.rows.map(([id]) => id)).toEqual(["1"])
    })
    // The rest of it is the same in every version.
    return
  }

  test("mysql forwards every type into a table that is created for it", async () => {
    const { rejected, rows } = await same({ source: all(server) })
    expect(rejected).toEqual([])
    expect(rows).toHaveLength(4)
    expect(rows[0]!.slice(0, 4)).toEqual(["1", "-32768", "-2147483648", "-9223372036854775808"])
    expect(rows[0]![18]).toBe("\0\n\t\\'ÿ")
  })

  test("mysql forwards hostile text, empty text and NULL", async () => {
    const { rows } = await same({ source: HOSTILE })
    expect(rows).toEqual(
      TEXTS.flatMap((text, i) => [
        [String(i * 2), text, null, text],
        [String(i * 2 + 1), null, text, text],
      ]),
    )
  })

  test("mysql forwards by INSERT where the server forbids LOAD DATA LOCAL", async () => {
    const my = await mysqlSystem("", await server.withoutLocal())
    await same({ source: HOSTILE }, my)
    await same({ source: all(server) }, my)
  })

  test("mysql rejects of forwarded rows what it has no value for, and says the same of it", async () => {
    const { rejected, rows } = await same({
      source: `CREATE TABLE t (id int PRIMARY KEY, d date, ts timestamp, tz timestamptz, n numeric(6,2), f real, g double precision);
      INSERT INTO t (id, d) VALUES (1, 'infinity'), (2, '-infinity'), (3, '0044-03-15 BC'), (4, '10000-01-01'), (5, '5874897-12-31');
      INSERT INTO t (id, ts) VALUES (11, 'infinity'), (12, '-infinity'), (13, '0044-03-15 12:00:00.5 BC'), (14, '10000-01-01');
      INSERT INTO t (id, tz) VALUES (21, 'infinity'), (22, '-infinity'), (23, '0044-03-15 12:00:00 BC'), (24, '2038-01-19 03:14:08+00'), (25, '1970-01-01 00:00:00+00'), (26, '10000-01-01 00:00:00+00');
      INSERT INTO t (id, n) VALUES (31, 'NaN'), (32, 1.5);
      INSERT INTO t (id, f) VALUES (41, 'NaN'), (42, 'Infinity'), (43, '-Infinity'), (44, 1.5);
      INSERT INTO t (id, g) VALUES (51, 'NaN'), (52, 'Infinity'), (53, '-Infinity'), (54, 1.5)`,
    })
    expect(rows.map(([id]) => id)).toEqual(["32", "44", "54"])
    expect(rejected).toHaveLength(22)
  })

  test("mysql shows as text a moment that no batch holds, where rows are forwarded", async () => {
    const { forwarded, typed } = await copied({
      source: `CREATE TABLE t (id int PRIMARY KEY, ts timestamp);
      INSERT INTO t VALUES (1, '2024-01-01'), (2, '294276-12-31 23:59:59.999999'), (3, NULL)`,
    })
    const rejected = { attempt: 1, row: 1, column: "ts", reason: "The value does not fit the type timestamp" }
    expect(typed.rejected).toEqual([{ ...rejected, step: "from", value: "\\x7fffff5bb3b29fff" }])
    expect(forwarded.rejected).toEqual([{ ...rejected, step: "to", value: "294276-12-31 23:59:59.999999" }])
    expect(forwarded.rows).toEqual(typed.rows)
  })

  test("mysql makes values of forwarded rows NULL where that is asked for, and counts them", async () => {
    const { adjusted, rejected } = await same({
      source: `CREATE TABLE t (id int PRIMARY KEY, d date, n numeric(6,2), f double precision);
      INSERT INTO t VALUES (1, 'infinity', 'NaN', 'NaN'), (2, '2024-01-01', 1, 1), (3, '0001-01-01 BC', 2, '-Infinity')`,
      options: { unrepresentable: "null" },
    })
    expect(rejected).toEqual([])
    expect(adjusted).toEqual(
      expect.arrayContaining([
        ["unrepresentable", "d", 2],
        ["unrepresentable", "n", 1],
        ["unrepresentable", "f", 2],
      ]),
    )
  })

  test("mysql keeps negative zeros of forwarded rows, or counts them", async () => {
    const { adjusted, rows } = await same({
      source: `CREATE TABLE t (id int PRIMARY KEY, f real, x text, g double precision);
      INSERT INTO t VALUES (1, '-0', '-0', 1), (2, 1, 'x', '-0'), (3, 0, '-0', 0)`,
      select: "SELECT CAST(f AS CHAR), CAST(g AS CHAR) FROM t ORDER BY id",
    })
    if (!server.mariadb) {
      expect(adjusted).toEqual([])
      expect(rows).toEqual([
        ["-0", "1"],
        ["1", "-0"],
        ["0", "0"],
      ])
      return
    }
    expect(adjusted).toEqual(
      expect.arrayContaining([
        ["negativeZero", "f", 1],
        ["negativeZero", "g", 1],
      ]),
    )
  })

  test("mysql finds the bad rows among many forwarded ones", async () => {
    const { rejected, rows } = await same({
      source: MANY,
      target:
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(5), n decimal(10,2) CHECK (n <> 300), x text) CHARSET utf8mb4",
      select: "SELECT count(*), sum(id), sum(length(x)), count(v) FROM t",
    })
    const refused = server.checks ? 91 : 90
    expect(rejected).toHaveLength(refused)
    expect(rows[0]![0]).toBe(String(90_000 - refused))
  })

  test("mysql loads narrow and wide forwarded rows in chunks of any size", async () => {
    const settings = { bufferBytes: 262_144 }
    const narrow = "CREATE TABLE t (id int); INSERT INTO t SELECT i FROM generate_series(1, 200000) AS i"
    const { rows } = await same({ source: narrow, select: "SELECT count(*), sum(id), max(id) FROM t", settings })
    expect(rows).toEqual([["200000", "20000100000", "200000"]])
    const wide = `CREATE TABLE t (id int, x text); INSERT INTO t SELECT i, repeat(chr(96 + i) || E'\\n\\f', i * 100000) FROM generate_series(1, 12) AS i`
    await same({ source: wide, select: "SELECT id, length(x), sha2(x, 256) FROM t ORDER BY id", settings })
  })

  test("mysql rejects NULL in forwarded rows where it is not allowed", async () => {
    const { rejected, rows } = await same(strict)
    expect(rows.map(([id]) => id)).toEqual(["1"])
    expect(rejected).toHaveLength(4)
    await same({ ...strict, query: "SELECT * FROM t WHERE id > 1" })
  })

  test("mysql does not forward NULL to columns that fill themselves in", async () => {
    const source = `CREATE TABLE t (id bigint, tz timestamptz); INSERT INTO t VALUES (1, NULL), (NULL, '2024-01-01+00'), (3, '2024-01-01+00')`
    const target =
      "CREATE TABLE t (id bigint AUTO_INCREMENT PRIMARY KEY, tz timestamp(6) NOT NULL DEFAULT current_timestamp(6))"
    const { forwarded, typed } = await copied({ source, target })
    expect(forwarded).toEqual(typed)
    expect(forwarded.rejected).toHaveLength(2)
    expect(forwarded.rows).toEqual([["3", "2024-01-01 00:00:00.000000"]])
    await same({
      source: source
        .replace("id bigint, tz timestamptz", "id bigint NOT NULL, tz timestamptz NOT NULL")
        .replace("(1, NULL), (NULL, '2024-01-01+00'), ", ""),
      target,
    })
  })

  test("mysql takes no forwarded rows for columns that have changed since the plan", async () => {
    const source =
      "CREATE TABLE t (id int PRIMARY KEY, ts timestamp); INSERT INTO t VALUES (1, '2024-01-01 00:00:00.7')"
    const target = "CREATE TABLE t (id int PRIMARY KEY, ts datetime(6))"
    const before = ["DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY, ts varchar(40))"]
    const { forwarded, typed } = await copied({ source, target, options: { before } })
    expect(forwarded).toMatchObject({ status: "failed", rows: [], failure: { reason: "conflict" } })
    expect(typed).toMatchObject({ status: "succeeded", rows: [["1", "2024-01-01 00:00:00.7"]] })
    const again = await same({ source, target, options: { before: ["DROP TABLE t", target] } })
    expect(again.rows).toEqual([["1", "2024-01-01 00:00:00.700000"]])
  })

  test.each([
    { mode: "append", keys: "PRIMARY KEY (id)" },
    { mode: "append", keys: "PRIMARY KEY (id), UNIQUE KEY twice (k, x(10)), UNIQUE KEY v (v)" },
    { mode: "overwriteRows", keys: "PRIMARY KEY (id)" },
    { mode: "overwriteRows", keys: "PRIMARY KEY (id), UNIQUE KEY (v)" },
    { mode: "updateRows", keys: "PRIMARY KEY (id)" },
    { mode: "updateRows", keys: "PRIMARY KEY (id), UNIQUE KEY (v)" },
  ])("mysql forwards in mode $mode with $keys", async ({ mode, keys }) => {
    const { rejected } = await same({
      source: KEYED,
      target: KEYED_TARGET(keys),
      options: { mode, keyColumns: ["id"] },
    })
    expect(rejected.length).toBeGreaterThan(0)
  })

  test.each(["overwriteRows", "updateRows"])(
    "mysql rejects NULL in a key of forwarded rows, in mode %s",
    async (mode) => {
      const { rejected } = await same({
        source:
          "CREATE TABLE t (k int, v text); INSERT INTO t VALUES (1, 'a'), (NULL, 'b'), (2, 'c'), (NULL, 'd'), (1, 'e')",
        target: "CREATE TABLE t (k int, v text, UNIQUE KEY (k)); INSERT INTO t VALUES (NULL, 'old'), (2, 'old')",
        options: { mode, keyColumns: ["k"] },
        select: "SELECT * FROM t ORDER BY k, v",
      })
      expect(rejected).toHaveLength(2)
    },
  )

  test("mysql forwards into columns of other character sets, foreign keys and checks", async () => {
    const { rejected } = await same({
      source: `CREATE TABLE t (id int PRIMARY KEY, l text, a text, j jsonb, p int, n int);
      INSERT INTO t VALUES (1, 'é', 'x', '{}', 1, 1), (2, '漢', 'x', '[]', 1, 1), (3, 'é', 'é', '{}', 2, 1),
        (4, '😀', 'x', '1', 1, 1), (5, 'x', 'x', '"😀"', 3, 1), (6, 'x', 'x', '{"a": "\\f\\n"}', 1, 1), (7, 'x', 'x', NULL, 1, 4)`,
      target: `CREATE TABLE IF NOT EXISTS parent (p int PRIMARY KEY); REPLACE INTO parent VALUES (1), (2);
      CREATE TABLE t (id int PRIMARY KEY, l varchar(9) CHARSET latin1, a varchar(9) CHARSET ascii, j ${server.mariadb ? "json" : "longtext"}, p int,
        n int CHECK (n < 3), FOREIGN KEY (p) REFERENCES parent (p))`,
    })
    expect(rejected.map((row) => (row as { row: number }).row)).toEqual(server.checks ? [1, 2, 3, 4, 6] : [1, 2, 3, 4])
  })

  if (server.mariadb) return
  test("mysql writes JSON by batches where the server would round its numbers", async () => {
    const { forwarded, typed } = await copied({
      source: `CREATE TABLE t (id int PRIMARY KEY, j jsonb);
      INSERT INTO t VALUES (1, '{"a": 18446744073709551615}'), (2, '{"a": 18446744073709551617}'), (3, '[0.1, 1e300]')`,
      select: "SELECT id, CAST(j AS CHAR) FROM t ORDER BY id",
    })
    expect(forwarded).toEqual(typed)
    expect(forwarded).toMatchObject({ encodings: [undefined, undefined], rejected: [{ row: 1, column: "j" }] })
    expect(forwarded.rows).toEqual([
      ["1", '{"a": 18446744073709551615}'],
      ["3", "[0.1, 1e300]"],
    ])
  })
})
