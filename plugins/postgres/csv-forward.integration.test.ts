import { describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { csvSystem, engineFor, flowOf, LENIENT, postgresSystem, type System } from "../../scripts/nasty/systems.ts"
import { postgresVersions } from "../../scripts/services/postgres.ts"
import { postgres } from "../../scripts/services/services.ts"
import { CSV_RECORDS } from "../_sql/csv-records.ts"

interface Copy {
  readonly from: Readonly<Record<string, unknown>>
  readonly to?: Readonly<Record<string, unknown>>
  readonly settings?: Readonly<Record<string, unknown>>
  /** Whether records are forwarded; default: they are. */
  readonly forwards?: boolean
}

/** What a copy leaves behind. */
interface Outcome {
  readonly encodings: readonly (string | undefined)[]
  readonly status: string
  readonly files: Readonly<Record<string, string>>
  readonly receipts: readonly (readonly number[])[]
  readonly rejected: readonly { readonly row: number; readonly column: string | undefined; readonly reason: string }[]
}

async function outcome(pg: System, copy: Copy, forwarding: boolean): Promise<Outcome> {
  const csv = csvSystem()
  const from = { at: pg, ...copy.from }
  const to = { at: csv, path: "out.csv", ...copy.to }
  const engine = engineFor(from, to)
  const flow = flowOf(from, to, { ...LENIENT, forwarding, ...copy.settings })
  const plan = await engine.plan(flow)
  const report = await engine.run(flow)
  const content = (name: string) => {
    const bytes = readFileSync(join(csv.base, name))
    return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString()
  }
  return {
    encodings: plan.steps.map(({ encoding }) => encoding),
    status: JSON.stringify([report.status, report.failure]),
    files: Object.fromEntries(
      readdirSync(csv.base)
        .toSorted()
        .map((name) => [name, content(name)]),
    ),
    receipts: report.receipts
      .map(({ read, outputs }) => [read, ...outputs.flatMap((output) => [output.written, output.rejected])])
      .toSorted((a, b) => a[0]! - b[0]!),
    rejected: engine.rejections
      .map(({ row, column, reason }) => ({ row, column, reason }))
      .toSorted((a, b) => a.row - b.row),
  }
}

/** Copies both ways, by the server's records and by batches; both must leave the same. Returns what they leave. */
async function same(pg: System, copy: Copy): Promise<Outcome> {
  const forwarded = await outcome(pg, copy, true)
  const typed = await outcome(pg, copy, false)
  const expected = (copy.forwards ?? true) ? CSV_RECORDS : undefined
  expect(forwarded.encodings).toEqual([expected, expected])
  expect(typed.encodings).toEqual([undefined, undefined])
  expect(typed.status).toBe('["succeeded",null]')
  // A difference in a long file is told by its first line.
  for (const [name, text] of Object.entries(typed.files)) {
    const lines = (forwarded.files[name] ?? "").split("\n")
    for (const [i, line] of text.split("\n").entries()) if (lines[i] !== line) expect([i, lines[i]]).toEqual([i, line])
  }
  expect({ ...forwarded, encodings: [] }).toEqual({ ...typed, encodings: [] })
  return forwarded
}

const MARK = "\ufeff"
const TEXTS = [
  ...["", " ", "  both ends  ", "plain", "a,b", 'say "hi"', '"', '""', "\n", "\r", "\r\n", "a\nb", "\t", "'"],
  ...["\\", "\\.", "\\N", "\\n", "NULL", "null", ",", ",,", '",', ',"', "#", "=1+1", "é 😀 𝔘 \u202e \u{10ffff}"],
  ...[MARK, `${MARK}x`, `x${MARK}`, `${MARK}a,b`, `${MARK}"q"`, `x,${MARK}`, `x\n${MARK}`, `,${MARK},`, `"${MARK}"`],
  ...["1e+20", "1e-05", "-1.5e+300", "x,1e+20", "1e+20\n", "a3e-4,5", "294247-01-10 04:00:54.775808", "2942"],
  ...[
    "294276-12-31 23:59:59.999999,x",
    "\u0001\u001f\u007f",
    "\f\v\b",
    "a\u2028b\u0085c",
    "\ufffe\uffff",
    "x".repeat(70_000),
  ],
]

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

const VALUES: Readonly<Record<string, readonly string[]>> = {
  boolean: ["true", "false"],
  smallint: ["-32768", "32767", "0"],
  integer: ["-2147483648", "2147483647", "0"],
  bigint: ["-9223372036854775808", "9223372036854775807", "0", "-1"],
  oid: ["0", "4294967295"],
  real: [
    ...[
      "0",
      "-0",
      "0.1",
      "-3.4028235e38",
      "1.17549435e-38",
      "1e-45",
      "1e6",
      "999999",
      "1234567",
      "16777216",
      "33554432",
    ],
    ...["0.0001", "0.00009", "1e-5", "1.5e-7", "1e20", "1e21", "1e22", "9.8607613e-32", "NaN", "Infinity", "-Infinity"],
  ],
  "double precision": [
    ...["0", "-0", "0.1", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "1e15", "999999999999999"],
    ...["1e16", "9007199254740993", "123456789012345678", "1e20", "1e21", "1.5e21", "1e22", "1e23", "1e100", "0.0001"],
    ...[
      "0.00009",
      "1e-5",
      "1e-6",
      "1.5e-7",
      "1e-7",
      "8796093022208.0625",
      "562949953421312.125",
      "5.684341886080802e-14",
    ],
    ...["0.30000000000000004", "1e-320", "NaN", "Infinity", "-Infinity", "-1e-5", "-1e15"],
  ],
  numeric: ["0", "0.0", "-0.00", "1e-20", "1e30", "12345678901234567890.12345678901234567890", "NaN", "100"],
  "numeric(12,2)": ["0", "-9999999999.99", "1.1", "NaN"],
  "numeric(5,-2)": ["12300", "0"],
  date: [
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "5874897-12-31",
    "4713-01-01 BC",
    "0044-03-15 BC",
    "infinity",
    "-infinity",
  ],
  time: ["00:00", "24:00", "23:59:59.999999", "12:34:56.7", "12:34:56.100000", "00:00:00.000001"],
  "time(0)": ["12:34:56"],
  timetz: ["12:34:56.7+05:30"],
  timestamp: [
    ...["0001-01-01", "9999-12-31 23:59:59.999999", "10000-01-01", "0044-03-15 12:00:00.5 BC", "infinity", "-infinity"],
    ...["1969-12-31 23:59:59.9", "2942-09-04 01:02:03.1", "29424-09-04 01:02:03", "294246-12-31 23:59:59.999999"],
    ...["4713-01-01 00:00:00 BC", "294247-01-10 04:00:54.775806"],
  ],
  "timestamp(3)": ["2024-02-29 12:00:00.1234", "2024-02-29"],
  timestamptz: [
    "1970-01-01 00:00:00.000001+00",
    "2024-06-30 12:00:00.123456+05:30",
    "0044-03-15 12:00:00+00 BC",
    "infinity",
  ],
  interval: ["1 year -2 days +03:04:05.000006", "-00:00:00.000001", "0", "1 mon", "178000000 years"],
  uuid: ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "00000000-0000-0000-0000-000000000000"],
  bytea: ["", "\\x", "\\x000a0d222c5cefbbbf"],
  json: ['{"a" : "\\n\\",", "b":1e+20}', "null", '"x"', " [1 , 2] ", "1E400", '{"a":1,"a":2}', '"\\u0000"'],
  jsonb: ['{"b": [1, 2.50], "a": "x,y"}', "null", '"\ufeff"'],
  "char(5)": ["", "ab", "ab   ", "éééé", `${MARK}a`],
  "varchar(9)": ["", "abc ", "😀,😀", `${MARK}`],
  name: ["", "x y"],
  '"char"': ["", "x", ","],
  "text[]": ["{}", '{a,"b,c",NULL,"\\"q\\""}'],
  "int[]": ["{1,NULL,3}", "{}"],
  inet: ["10.0.0.1", "10.0.0.1/8", "::1"],
  cidr: ["10.0.0.0/8"],
  int4range: ["empty", "[1,5)"],
  "bit(3)": ["101"],
  varbit: ["", "1"],
  xml: ["<a b='c'>,\n</a>", `x${MARK}`],
  money: ["1234567.89", "-1"],
  point: ["(1e+20,1e-5)"],
  colour: ["red", "a,b", 'q"q', `${MARK}m`, ""],
  truth: ["true", "false"],
  small: ["-1"],
  word: ["", "a,b", `${MARK}w`],
  padded: ["ab", "", `${MARK}p`],
  pair: ['(1,"x y")', "(,)"],
}

const TYPES = `CREATE TYPE colour AS ENUM ('red', 'a,b', 'q"q', '${MARK}m', ''); CREATE DOMAIN truth AS boolean;
  CREATE DOMAIN small AS integer; CREATE DOMAIN word AS text; CREATE DOMAIN padded AS char(5);
  CREATE TYPE pair AS (a int, b text);`

/** A table of `type` with each of its values, NULL before, between and behind, and text on either side. */
function tableOf(name: string, type: string, values: readonly string[]): string {
  const rows = values.flatMap((value, i) => [
    `(${i * 2}, ${quoted(value)}, ${i % 3 === 0 ? "'x'" : "NULL"}, ${quoted(value)})`,
    `(${i * 2 + 1}, NULL, 'y,y', ${quoted(value)})`,
  ])
  return `CREATE TABLE ${name} (id int, v ${type}, t text, w ${type}); INSERT INTO ${name} VALUES ${rows.join(", ")};`
}

describe.each([...postgresVersions])("postgres %s", (version) => {
  const system = async (options?: string) => postgresSystem(options, await postgres(version))

  test("postgres writes the records that csv-output would write, of every type", async () => {
    const pg = await system()
    const tables = Object.entries({ text: TEXTS, ...VALUES }).map(([type, values], i) => ({
      name: `t${i}`,
      type,
      values,
    }))
    await pg.sql(TYPES + tables.map(({ name, type, values }) => tableOf(name, type, values)).join("\n"))
    for (const { name, type, values } of tables) {
      const { files, rejected } = await same(pg, { from: { table: name }, forwards: type !== "real" })
      expect([type, rejected]).toEqual([type, []])
      expect(files["out.csv"]!.startsWith("id,v,t,w\n0,")).toBe(true)
      expect(files["out.csv"]!.length).toBeGreaterThan(values.join().length)
    }
  }, 120_000)

  test("postgres writes random floats as csv-output would", async () => {
    const pg = await system()
    await pg.sql(`SELECT setseed(0.42);
      CREATE TABLE t AS SELECT i, (random() * 1000 - 500)::float8 AS a, ((random() - 0.5) * 10 ^ (random() * 40 - 20))::float8 AS b,
        (random() * 100)::numeric(8, 3)::float8 AS c, (8796093022208 + (i % 8192) / 16.0)::float8 AS d, (2.0::float8 ^ (i % 120 - 60)) AS e,
        (2.0::float8 ^ (i % 60 - 20) * (1 + i / 1048576.0::float8)) AS f
      FROM generate_series(1, 60000) AS i`)
    const { receipts } = await same(pg, { from: { table: "t" } })
    expect(receipts).toEqual([[60_000, 60_000, 0]])
  }, 60_000)

  test("postgres forwards no column whose records could differ", async () => {
    const pg = await system()
    await pg.sql(`CREATE DOMAIN measure AS float8; CREATE DOMAIN day AS date; CREATE DOMAIN doc AS json; CREATE DOMAIN price AS numeric;
      CREATE TABLE t (id int, a text, b measure, c day, d doc, e price);
      INSERT INTO t VALUES (1, E'\\\\.', '1e20', '0044-03-15 BC', '[1]', 1.50), (2, '', 1e-7, 'infinity', '{}', 0), (3, NULL, NULL, NULL, NULL, NULL)`)
    const alone = await same(pg, { from: { table: "t", columns: ["a"] }, forwards: false })
    expect(alone.files["out.csv"]).toBe('a\n\\.\n""\n\n')
    for (const column of ["b", "c", "d", "e"])
      await same(pg, { from: { table: "t", columns: ["id", column] }, forwards: false })
    expect((await same(pg, { from: { table: "t", columns: ["id"] } })).files["out.csv"]).toBe("id\n1\n2\n3\n")
    await same(pg, { from: { table: "t" }, to: { columns: [{ name: "id" }] } })
  })

  test("postgres writes text of a server in another encoding as UTF-8, and forwards none of any bytes", async () => {
    const source = `CREATE TABLE t (id int, a text); INSERT INTO t VALUES (1, 'Größe, "é"'), (2, ''), (3, NULL)`
    const latin = await system("ENCODING 'LATIN1' LOCALE 'C'")
    await latin.sql(source)
    const { files } = await same(latin, { from: { table: "t" } })
    expect(files["out.csv"]).toBe('id,a\n1,"Größe, ""é"""\n2,""\n3,\n')
    const ascii = await system("ENCODING 'SQL_ASCII' LOCALE 'C'")
    await ascii.sql(`${source}; INSERT INTO t VALUES (4, E'\\xff')`)
    const any = await same(ascii, { from: { table: "t" }, forwards: false })
    expect(any.rejected.map(({ row }) => row)).toEqual([3])
  })

  test("postgres rejects of records the timestamps that no batch holds, wherever they stand", async () => {
    const pg = await system()
    await pg.sql(`CREATE TABLE t (a timestamp, id int, b text, c timestamptz);
      INSERT INTO t SELECT CASE WHEN i % 7000 = 3 THEN timestamp '294247-01-10 04:00:54.775808' ELSE '2024-01-01' END, i,
        CASE WHEN i % 5000 = 4 THEN '${MARK}m' ELSE repeat('x', i % 90) END,
        CASE WHEN i % 9000 = 5 THEN timestamptz '294276-12-31 23:59:59.999999+00' WHEN i = 6 THEN '294247-01-10 04:00:54.775807+00' END
      FROM generate_series(1, 30000) AS i`)
    const { rejected, receipts, files } = await same(pg, { from: { table: "t" } })
    expect(rejected).toHaveLength(10)
    expect(rejected.map(({ column }) => column)).toContain("c")
    expect(receipts).toEqual([[30_000, 29_990, 10]])
    expect(files["out.csv"]!.split(`"${MARK}m"`)).toHaveLength(7)
    await pg.sql("DELETE FROM t WHERE id <> 3")
    const none = await same(pg, { from: { table: "t" } })
    expect(none.files).toEqual({ "out.csv": "a,id,b,c\n" })
    const limited = await outcome(pg, { from: { table: "t" }, settings: { errorLimit: 0 } }, true)
    expect([limited.status, limited.files]).toMatchObject([expect.stringContaining('"failed"'), {}])
  }, 60_000)

  test("postgres forwards records into splits, numbered files and archives, with or without a header", async () => {
    const pg = await system()
    await pg.sql(`CREATE TABLE t (id int PRIMARY KEY, flag boolean, f float8, v text);
      INSERT INTO t SELECT i, i % 3 = 0, CASE WHEN i % 999 = 0 THEN 1e20 * i ELSE i / 8.0 END,
        CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'say "' || i || '", a' || chr(10) ELSE repeat('é', i % 60) END
      FROM generate_series(1, 40000) AS i; ANALYZE t`)
    const splits = { from: { table: "t", splits: 3 }, settings: { parallel: 3 } }
    const joined = await same(pg, splits)
    expect(joined.receipts).toHaveLength(3)
    const parts = await same(pg, { ...splits, to: { partitioned: true } })
    expect(Object.keys(parts.files)).toEqual(["out-00001.csv", "out-00002.csv", "out-00003.csv"])
    await same(pg, { ...splits, to: { path: "out.csv.gz" } })
    await same(pg, { ...splits, to: { header: false, bom: true } })
    await same(pg, {
      from: { table: "t" },
      to: { columns: ["flag", "f", "v", "id"].map((name) => ({ name })) },
    })
    await same(pg, {
      from: { query: 'SELECT v AS "a,b", flag FROM t ORDER BY id' },
      to: { columns: [{ name: "a,b", as: "z" }, { name: "flag" }] },
    })
  }, 60_000)
})
