import { describe, expect, test } from "bun:test"
import type { Connection } from "../../core/contract/index.ts"
import { endsOf } from "./replacement-partition.ts"
import { failureOf, fresh, inTransaction, names, open, portrait } from "./testdata/replacement-rig.ts"

const LISTED = `
  CREATE TABLE o (x int PRIMARY KEY); INSERT INTO o VALUES (1);
  CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen = true; RETURN NEW; END';
  CREATE TABLE t (ds date NOT NULL, id int, o int CONSTRAINT "to o" REFERENCES o, seen bool, v int CONSTRAINT positive CHECK (v > 0),
    CONSTRAINT "the key" PRIMARY KEY (ds, id)) PARTITION BY LIST (ds);
  CREATE INDEX by_v ON t (v); CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
  CREATE TABLE "t one" PARTITION OF t FOR VALUES IN ('2024-01-01') WITH (fillfactor = 55);
  CREATE TABLE t_two PARTITION OF t FOR VALUES IN ('2024-01-02'); CREATE TABLE t_more PARTITION OF t FOR VALUES IN ('2024-01-03', '2024-01-04');
  GRANT SELECT ON "t one" TO "a reader"; COMMENT ON TABLE "t one" IS 'the first'; ALTER TABLE "t one" OWNER TO "the Owner";
  INSERT INTO t VALUES ('2024-01-01', 1, 1, false, 1), ('2024-01-02', 1, 1, false, 1), ('2024-01-03', 1, 1, false, 1)`

describe.each(["18", "15"])("postgres %s replacement", (version) => {
  test("postgres replacement exchanges one partition and keeps what it has", async () => {
    const { admin } = await fresh(version, LISTED)
    const before = [await portrait(admin, '"t one"'), await bounds(admin), await portrait(admin, "t")]
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.execute("INSERT INTO t_dpfx_b VALUES ('2024-01-01', 5, 1, false, 7), ('2024-01-01', 6, 1, false, 7)")
    expect(await swapped(admin, "ds", "2024-01-01")).toBe(true)
    expect([await portrait(admin, '"t one"'), await bounds(admin), await portrait(admin, "t")]).toEqual(before)
    expect(await admin.query("SELECT ds, id FROM t ORDER BY 1, 2")).toEqual([
      ["2024-01-01", "5"],
      ["2024-01-01", "6"],
      ["2024-01-02", "1"],
      ["2024-01-03", "1"],
    ])
    expect(
      await admin.query(
        "SELECT count(*) FROM pg_class WHERE relname ~ 'dpfx' AND relnamespace::regnamespace::text = quote_ident(current_schema())",
      ),
    ).toEqual([["0"]])
    expect(await admin.query("SELECT conname FROM pg_constraint WHERE conname ~ 'headrace'")).toEqual([])
    // The partition is a full member again: it is checked, indexed and triggered by its table.
    await admin.execute("INSERT INTO t VALUES ('2024-01-01', 7, 1, false, 1)")
    expect(await admin.query("SELECT seen FROM t WHERE id = 7")).toEqual([["t"]])
    expect((await failureOf(admin.execute("INSERT INTO t VALUES ('2024-01-01', 7, 1, false, 1)"))).code).toBe("23505")
    expect((await failureOf(admin.execute("DELETE FROM o"))).code).toBe("23503")
  })

  test.each([
    ["a date in a list", "date", "LIST", "IN ('2024-02-29')", "2024-02-29"],
    ["a day", "date", "RANGE", "FROM ('2024-02-29') TO ('2024-03-01')", "2024-02-29"],
    ["a text", "text", "LIST", `IN ('it''s, a (\\"text\\")')`, `it's, a (\\"text\\")`],
    ["the text NULL", "text", "LIST", "IN ('NULL')", "NULL"],
    ["a number", "int", "LIST", "IN (-7)", "-7"],
    ["a range of one int", "int", "RANGE", "FROM (-1) TO (0)", "-1"],
    [
      "a range of one bigint",
      "bigint",
      "RANGE",
      "FROM (9223372036854775806) TO (9223372036854775807)",
      "9223372036854775806",
    ],
    ["a smallint that is written otherwise", "smallint", "LIST", "IN (7)", "007"],
    ["a boolean", "bool", "LIST", "IN (true)", "true"],
    ["a moment", "timestamptz", "LIST", "IN ('2024-01-01 00:00:00+00')", "2024-01-01T02:00:00+02"],
    ["a text of a limited length", "varchar(5)", "LIST", "IN ('abcde')", "abcde"],
  ])("postgres replacement finds the partition for %s", async (_, type, by, bound, value) => {
    const { admin } = await fresh(
      version,
      `CREATE TABLE t (k ${type}, x int) PARTITION BY ${by} (k); CREATE TABLE p PARTITION OF t FOR VALUES ${bound};
       CREATE TABLE rest PARTITION OF t DEFAULT`,
    )
    await admin.query(`INSERT INTO t (k, x) SELECT $1::text::${type}, 1`, [value])
    const before = [await bounds(admin), await portrait(admin, "p")]
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.query("INSERT INTO t_dpfx_b SELECT k, 2 FROM t")
    expect(await swapped(admin, "k", value)).toBe(true)
    expect(await admin.query("SELECT x FROM p")).toEqual([["2"]])
    expect([await bounds(admin), await portrait(admin, "p")]).toEqual(before)
  })

  test.each([
    ["the table is not partitioned", "CREATE TABLE t (k int)", "1"],
    [
      "the table is partitioned by another column",
      "CREATE TABLE t (a int, k int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
      "1",
    ],
    [
      "the table is partitioned by two columns",
      "CREATE TABLE t (a int, k int) PARTITION BY RANGE (k, a); CREATE TABLE p PARTITION OF t FOR VALUES FROM (1, 1) TO (2, 1)",
      "1",
    ],
    [
      "the table is partitioned by an expression",
      "CREATE TABLE t (k int) PARTITION BY LIST ((k + 0)); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
      "1",
    ],
    [
      "the table is partitioned by hash",
      "CREATE TABLE t (k int) PARTITION BY HASH (k); CREATE TABLE p PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
      "1",
    ],
    [
      "there is none for the value",
      "CREATE TABLE t (k int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN (2)",
      "1",
    ],
    [
      "there is only the default one",
      "CREATE TABLE t (k int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t DEFAULT",
      "1",
    ],
    [
      "it holds another value as well",
      "CREATE TABLE t (k int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN (1, 2)",
      "1",
    ],
    [
      "it holds NULL as well",
      "CREATE TABLE t (k int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN (1, NULL)",
      "1",
    ],
    [
      "its range is larger",
      "CREATE TABLE t (k int) PARTITION BY RANGE (k); CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (3)",
      "1",
    ],
    [
      "its range begins earlier",
      "CREATE TABLE t (k int) PARTITION BY RANGE (k); CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (2)",
      "1",
    ],
    [
      "its range has no end",
      "CREATE TABLE t (k int) PARTITION BY RANGE (k); CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (MAXVALUE)",
      "1",
    ],
    [
      "its range is a month",
      "CREATE TABLE t (k date) PARTITION BY RANGE (k); CREATE TABLE p PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
      "2024-01-01",
    ],
    [
      "a day holds many moments",
      "CREATE TABLE t (k timestamp) PARTITION BY RANGE (k); CREATE TABLE p PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-01-02')",
      "2024-01-01",
    ],
    [
      "numbers have no next one",
      "CREATE TABLE t (k numeric) PARTITION BY RANGE (k); CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (2)",
      "1",
    ],
    [
      "the value is longer than the column",
      "CREATE TABLE t (k varchar(2)) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN ('ab')",
      "abc",
    ],
    [
      "the partition is partitioned itself",
      "CREATE TABLE t (k int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (k)",
      "1",
    ],
    [
      "a view reads the partition",
      "CREATE TABLE t (k int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN (1); CREATE VIEW v AS SELECT * FROM p",
      "1",
    ],
    [
      "a foreign key leads to its table",
      "CREATE TABLE t (k int PRIMARY KEY) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN (1); CREATE TABLE o (k int REFERENCES t)",
      "1",
    ],
    [
      "it has an index of its own",
      "CREATE TABLE t (k int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t FOR VALUES IN (1); CREATE INDEX own ON p (k)",
      "1",
    ],
    [
      "it has a column order of its own",
      "CREATE TABLE t (k int, a int) PARTITION BY LIST (k); CREATE TABLE p (a int, k int); ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)",
      "1",
    ],
  ])("postgres replacement exchanges no partition, and does nothing, where %s", async (_, sql, value) => {
    const { admin } = await fresh(version, sql)
    await admin.replacement!.createStage(names.table, names.stage)
    const before = [
      await portrait(admin, "p"),
      await portrait(admin, "t"),
      await portrait(admin, "t_dpfx_b"),
      await bounds(admin),
    ]
    expect(await swapped(admin, "k", value)).toBe(false)
    expect([
      await portrait(admin, "p"),
      await portrait(admin, "t"),
      await portrait(admin, "t_dpfx_b"),
      await bounds(admin),
    ]).toEqual(before)
  })

  test("postgres replacement refuses rows of another partition before anybody has to wait", async () => {
    const { admin, at, schema } = await fresh(version, LISTED)
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.execute("INSERT INTO t_dpfx_b VALUES ('2024-01-01', 5, 1, false, 7), ('2024-01-02', 6, 1, false, 7)")
    const reader = await open(at)
    await reader.begin()
    await reader.query(`SELECT * FROM "${schema}".t`)
    const failed = await failureOf(swapped(admin, "ds", "2024-01-01"))
    expect([failed.reason, failed.code]).toEqual(["constraint", "23514"])
    expect(failed.message).toStartWith('Cannot replace the partition of table "t" for "2024-01-01" on PostgreSQL')
    await reader.close()
  })

  test("postgres replacement of a partition gives up on a lock after the given time, and leaves everything", async () => {
    const { admin, at, schema } = await fresh(version, LISTED)
    await admin.replacement!.createStage(names.table, names.stage)
    const before = [await portrait(admin, '"t one"'), await portrait(admin, "t_dpfx_b"), await bounds(admin)]
    const reader = await open(at)
    await reader.begin()
    await reader.query(`SELECT * FROM "${schema}".t`)
    const failed = await failureOf(swapped(admin, "ds", "2024-01-01", 50))
    expect([failed.reason, failed.retryable]).toEqual(["conflict", true])
    expect([await portrait(admin, '"t one"'), await portrait(admin, "t_dpfx_b"), await bounds(admin)]).toEqual(before)
    await reader.commit()
    expect(await swapped(admin, "ds", "2024-01-01", 50)).toBe(true)
    expect(await admin.query("SELECT count(*) FROM t")).toEqual([["2"]])
    await reader.close()
  })

  test("postgres replacement numbers the rows of a partition where its table does", async () => {
    const { admin } = await fresh(
      version,
      `CREATE TABLE t (k int, id bigint GENERATED ALWAYS AS IDENTITY, s serial) PARTITION BY LIST (k);
       CREATE TABLE p PARTITION OF t FOR VALUES IN (1); CREATE TABLE q PARTITION OF t FOR VALUES IN (2); INSERT INTO t (k) VALUES (1), (2)`,
    )
    const before = [await portrait(admin, "p"), await portrait(admin, "t")]
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.execute("INSERT INTO t_dpfx_b (k) VALUES (1), (1)")
    expect(await swapped(admin, "k", "1")).toBe(true)
    expect(await portrait(admin, "p")).toEqual(before[0]!)
    await admin.execute("INSERT INTO t (k) VALUES (1)")
    expect(await admin.query("SELECT id, s FROM t ORDER BY 1")).toEqual([
      ["2", "2"],
      ["3", "3"],
      ["4", "4"],
      ["5", "5"],
    ])
  })

  test("postgres replacement exchanges a partition that lies in another schema", async () => {
    const { admin, schema } = await fresh(
      version,
      "CREATE TABLE t (k int PRIMARY KEY, b text) PARTITION BY LIST (k); CREATE INDEX ON t (b)",
    )
    const other = `"${schema} parts"`
    await admin.execute(`CREATE SCHEMA ${other}; CREATE TABLE ${other}.p PARTITION OF t FOR VALUES IN (1);
      COMMENT ON INDEX ${other}.p_b_idx IS 'an index'; COMMENT ON CONSTRAINT p_pkey ON ${other}.p IS 'a key'`)
    const before = [await portrait(admin, `${other}.p`), await bounds(admin)]
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.execute("INSERT INTO t_dpfx_b VALUES (1, 'new')")
    expect(await swapped(admin, "k", "1")).toBe(true)
    expect([await portrait(admin, `${other}.p`), await bounds(admin)]).toEqual(before)
    expect(await admin.query("SELECT b FROM t")).toEqual([["new"]])
  })

  test("postgres replacement of a partition fails on a value that is none of its column's", async () => {
    const { admin } = await fresh(version, LISTED)
    await admin.replacement!.createStage(names.table, names.stage)
    expect((await failureOf(swapped(admin, "ds", "no day"))).reason).toBe("data")
  })
})

test.each([
  ["FOR VALUES IN ('a')", ["a"]],
  ["FOR VALUES IN ('it''s')", ["it's"]],
  [String.raw`FOR VALUES IN (E'back\\slash')`, [String.raw`back\slash`]],
  ["FOR VALUES IN ('a, b', 'c')", undefined],
  ["FOR VALUES IN ('a', NULL)", undefined],
  ["FOR VALUES IN (NULL)", undefined],
  ["FOR VALUES IN (1, 2)", undefined],
  ["FOR VALUES IN ('1, 2')", ["1, 2"]],
  ["FOR VALUES FROM (1) TO (2)", ["1", "2"]],
  ["FOR VALUES FROM ('-1') TO (0)", ["-1", "0"]],
  ["FOR VALUES FROM (MINVALUE) TO (2)", undefined],
  ["FOR VALUES FROM (1, 2) TO (3, 4)", undefined],
  ["FOR VALUES WITH (modulus 2, remainder 0)", undefined],
  ["DEFAULT", undefined],
])("postgres replacement reads the bound %s", (bound, ends) => {
  expect(endsOf(bound)).toEqual(ends)
})

async function swapped(admin: Connection, column: string, value: string, lockTimeoutMs = 5000): Promise<boolean> {
  let done = false
  await inTransaction(admin, async () => {
    const { table, stage } = names
    done = await admin.replacement!.swapPartition!({ table, stage, column, value, lockTimeoutMs })
  })
  return done
}

/** Each partition with its bound. */
function bounds(admin: Connection): Promise<unknown> {
  return admin.query(
    `SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 't'::regclass ORDER BY 1`,
  )
}
