import { describe, expect, test } from "bun:test"
import type { Connection } from "../../core/contract/index.ts"
import { BASIC, failureOf, fresh, inTransaction, names, open, portrait } from "./testdata/replacement-rig.ts"

/** What hangs on the table that {@link BASIC} makes, how it is named, and how it is undone where it concerns others. */
const OBSTACLES: readonly {
  readonly line: string | RegExp
  readonly sql: string
  readonly undo?: string
}[] = [
  { line: 'view "a view" reads it', sql: 'CREATE VIEW "a view" AS SELECT name FROM t' },
  { line: 'view "public.v" reads it', sql: "CREATE VIEW public.v AS SELECT * FROM t", undo: "DROP VIEW public.v" },
  { line: 'view "v" reads it', sql: "CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT * FROM v" },
  { line: 'view "v" reads it', sql: "CREATE VIEW v AS SELECT id, name FROM t GROUP BY id" },
  { line: 'materialized view "m" reads it', sql: "CREATE MATERIALIZED VIEW m AS SELECT * FROM t" },
  { line: /^function .*f\(.*t\) depends on it$/, sql: "CREATE FUNCTION f(t) RETURNS int LANGUAGE sql AS 'SELECT 1'" },
  {
    line: /^function .*f\(\) depends on it$/,
    sql: "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM t)",
  },
  { line: /^column c of table .*o depends on it$/, sql: "CREATE TABLE o (c t)" },
  { line: /^column c of table .*o depends on it$/, sql: "CREATE TABLE o (c t[])" },
  {
    line: /^policy p on table .*o depends on it$/,
    sql: "CREATE TABLE o (a int); CREATE POLICY p ON o USING (a IN (SELECT id FROM t))",
  },
  {
    line: 'rule "r" of "o" refers to it',
    sql: "CREATE TABLE o (a int); CREATE RULE r AS ON INSERT TO o DO ALSO DELETE FROM t",
  },
  { line: 'foreign key "o_a_fkey" of table "o" refers to it', sql: "CREATE TABLE o (a int REFERENCES t)" },
  {
    line: 'trigger "c" of table "o" refers to it',
    sql: `CREATE TABLE o (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER c AFTER INSERT ON o FROM t FOR EACH ROW EXECUTE FUNCTION f()`,
  },
  { line: '"child" inherits from it', sql: "CREATE TABLE child () INHERITS (t)" },
  { line: 'it inherits "parent"', sql: "CREATE TABLE parent (name text); ALTER TABLE t INHERIT parent" },
  {
    line: 'it is a partition of "parent"',
    sql: "CREATE TABLE parent (id int NOT NULL, name text) PARTITION BY LIST (id); ALTER TABLE parent ATTACH PARTITION t DEFAULT",
  },
  { line: "row level security is on", sql: "ALTER TABLE t ENABLE ROW LEVEL SECURITY" },
  { line: 'it has the policy "p"', sql: "CREATE POLICY p ON t USING (true)" },
  { line: 'it has the rule "r"', sql: "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING" },
  { line: 'publication "p" sends it to others', sql: "CREATE PUBLICATION p FOR TABLE t", undo: "DROP PUBLICATION p" },
  {
    line: 'publication "p" sends it to others',
    sql: "CREATE PUBLICATION p FOR ALL TABLES",
    undo: "DROP PUBLICATION p",
  },
  {
    line: "a subscription fills it",
    sql: "INSERT INTO pg_subscription_rel VALUES (1, 't'::regclass, 'r', NULL)",
    undo: "DELETE FROM pg_subscription_rel",
  },
  {
    line: "it has security labels",
    sql: "INSERT INTO pg_seclabel VALUES ('t'::regclass, 'pg_class'::regclass, 0, 'nobody', 'secret')",
    undo: "DELETE FROM pg_seclabel",
  },
  {
    line: /^table .*t belongs to extension "plpgsql"$/,
    sql: "ALTER EXTENSION plpgsql ADD TABLE t",
    undo: "ALTER EXTENSION plpgsql DROP TABLE t",
  },
  {
    line: /^index .*t_pkey belongs to extension "plpgsql"$/,
    sql: "ALTER INDEX t_pkey DEPENDS ON EXTENSION plpgsql",
    undo: "ALTER INDEX t_pkey NO DEPENDS ON EXTENSION plpgsql",
  },
  {
    line: 'its statistics "s" lie in another schema',
    sql: "CREATE STATISTICS public.s ON id, name FROM t",
    undo: "DROP STATISTICS public.s",
  },
]

/** Tables that cannot be replaced as they are. */
const UNFIT: readonly (readonly [line: string | RegExp, sql: string])[] = [
  ["it is a partitioned table: a partition of it can be replaced", "CREATE TABLE t (a int) PARTITION BY LIST (a)"],
  ["it is a view", "CREATE VIEW t AS SELECT 1 AS a"],
  ["it is a materialized view", "CREATE MATERIALIZED VIEW t AS SELECT 1 AS a"],
  [
    "it is a foreign table",
    `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE t (a int) SERVER s;
     ALTER FOREIGN TABLE t OWNER TO CURRENT_USER`,
  ],
  [/^it is of type ".*kind"$/, "CREATE TYPE kind AS (a int); CREATE TABLE t OF kind"],
  [
    /^default value for column a of table .*o depends on it$/,
    "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY); CREATE TABLE o (a int DEFAULT nextval('t_id_seq'))",
  ],
  [
    'foreign key "t_a_fkey" is switched off or checked on replicas',
    "CREATE TABLE o (x int PRIMARY KEY); CREATE TABLE t (a int REFERENCES o); ALTER TABLE t DISABLE TRIGGER ALL",
  ],
]

describe.each(["18", "15"])("postgres %s replacement", (version) => {
  test.each(OBSTACLES.map((row) => [String(row.line), row] as const))(
    "postgres replacement names what it would break, and breaks nothing: %s",
    async (_, { line, sql, undo }) => {
      const { admin } = await fresh(version, BASIC)
      const swapper = admin.replacement!
      await swapper.createStage(names.table, names.stage)
      expect(await swapper.obstacles(names.table)).toEqual([])
      await admin.execute(sql)
      try {
        const before = await portrait(admin, "t")
        expect(await swapper.obstacles(names.table)).toEqual([matching(line)])
        const failed = await failureOf(inTransaction(admin, () => swapper.swap(names)))
        expect([failed.reason, failed.retryable]).toEqual(["conflict", false])
        expect(failed.message).toMatch(
          line instanceof RegExp ? new RegExp(line.source.replace("^", ": ")) : `: ${line}`,
        )
        expect(await portrait(admin, "t")).toEqual(before)
        expect(await rowsOf(admin)).toEqual([["1", "old"]])
      } finally {
        if (undo !== undefined) await admin.execute(undo)
      }
    },
  )

  test.each(UNFIT.map(([line, sql]) => [String(line), { line, sql }] as const))(
    "postgres replacement refuses a table: %s",
    async (_, { line, sql }) => {
      const { admin } = await fresh(version, sql)
      expect(await admin.replacement!.obstacles(names.table)).toEqual([matching(line)])
      if (sql.includes("WRAPPER")) await admin.execute("DROP FOREIGN DATA WRAPPER w CASCADE")
    },
  )

  test("postgres replacement refuses a temporary table and names an index that is not valid", async () => {
    const { admin } = await fresh(
      version,
      "CREATE TEMPORARY TABLE passing (a int); CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)",
    )
    expect(await admin.replacement!.obstacles({ name: "passing" })).toEqual(["it is a temporary table"])
    expect((await failureOf(admin.execute("CREATE UNIQUE INDEX CONCURRENTLY u ON t (a)"))).reason).toBe("constraint")
    const [obstacle, ...others] = await admin.replacement!.obstacles(names.table)
    expect(obstacle).toMatch(/^index ".*u" is not valid: rebuild or drop it$/)
    expect(others).toEqual([])
  })

  test("postgres replacement names every obstacle at once", async () => {
    const { admin } = await fresh(
      version,
      `${BASIC}; CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT * FROM t; CREATE POLICY p ON t USING (true)`,
    )
    expect(await admin.replacement!.obstacles(names.table)).toEqual([
      'it has the policy "p"',
      'view "v" reads it',
      'view "w" reads it',
    ])
  })

  test("postgres replacement says what the role may not do", async () => {
    const { admin, at, schema } = await fresh(
      version,
      `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;
       CREATE TABLE t (a int); CREATE TABLE "own" (a int); CREATE TRIGGER r AFTER INSERT ON own EXECUTE FUNCTION f();
       ALTER TABLE own OWNER TO worker; CREATE TABLE shared (a int); ALTER TABLE shared OWNER TO "the Owner"`,
    )
    await admin.execute(`GRANT "the Owner" TO worker; REVOKE CREATE ON SCHEMA "${schema}" FROM "the Owner"`)
    const worker = await open({ ...at, user: "worker", password: "worker" })
    const obstacles = (name: string) => worker.replacement!.obstacles({ schema, name })
    const noCreate = `"worker" may not create tables in schema "${schema}"`
    expect(await obstacles("t")).toEqual(['it belongs to "postgres", and "worker" is no member of that role', noCreate])
    expect(await obstacles("own")).toEqual([noCreate, '"worker" may not execute the function of trigger "r"'])
    expect(await obstacles("shared")).toEqual([`"the Owner" may not create tables in schema "${schema}"`, noCreate])
    await worker.close()
    await admin.execute('REVOKE "the Owner" FROM worker')
  })

  test("postgres replacement of what is not there is a failure that says so", async () => {
    const { admin } = await fresh(version, BASIC)
    const swapper = admin.replacement!
    for (const call of [
      () => swapper.obstacles({ name: "nothing" }),
      () => swapper.createStage({ name: "nothing" }, names.stage),
      () => inTransaction(admin, () => swapper.swap(names)),
    ])
      expect((await failureOf(call())).reason).toBe("missing")
    await admin.execute("CREATE TABLE t_dpfx_b (a int); CREATE VIEW seen AS SELECT 1 AS a")
    expect((await failureOf(swapper.createStage(names.table, names.stage))).reason).toBe("exists")
    expect((await failureOf(swapper.createStage({ name: "seen" }, { name: "x" }))).reason).toBe("unsupported")
    expect(await rowsOf(admin)).toEqual([["1", "old"]])
  })
})

function matching(line: string | RegExp): string {
  // An asymmetric matcher is typed as what it stands for.
  return line instanceof RegExp ? expect.stringMatching(line) : line
}

function rowsOf(connection: Connection): Promise<readonly (readonly (string | null)[])[]> {
  return connection.query("SELECT * FROM t ORDER BY 1")
}
