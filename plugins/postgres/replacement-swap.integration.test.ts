import { describe, expect, test } from "bun:test"
import type { Connection, TableName } from "../../core/contract/index.ts"
import { type TestSession, testSession } from "../../scripts/testing/session.ts"
import { connect } from "./postgres-connection.ts"
import { BASIC, failureOf, fresh, inTransaction, names, open, portrait } from "./testdata/replacement-rig.ts"

describe.each(["18", "15"])("postgres %s replacement", (version) => {
  test("postgres replacement shows readers one whole generation of rows at every instant", async () => {
    const { admin, at, schema } = await fresh(version, "CREATE TABLE t (id int PRIMARY KEY, generation int NOT NULL)")
    const rows = 50
    const all = version === "18" ? 1000 : 40
    await admin.execute(`INSERT INTO t SELECT i, 0 FROM generate_series(1, ${rows}) AS i`)
    const reader = await open(at)
    const table = `"${schema}".t`
    await reader.execute(`CREATE FUNCTION "${schema}".seen() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
      RETURN (SELECT concat_ws('|', count(*), min(generation), max(generation)) FROM ${table}); END $$`)
    let swaps = 0
    const seen = new Set<string>()
    const reading = (async () => {
      while (swaps < all) {
        for (const sql of [
          `SELECT concat_ws('|', count(*), min(generation), max(generation)) FROM ${table}`,
          // A function keeps its plan, and with it the number of the table.
          `SELECT "${schema}".seen()`,
        ])
          seen.add((await reader.query(sql))[0]![0]!)
      }
    })()
    const swapping = (async () => {
      for (; swaps < all; swaps++) {
        await admin.replacement!.createStage(names.table, names.stage)
        await admin.execute(`INSERT INTO t_dpfx_b SELECT i, ${swaps + 1} FROM generate_series(1, ${rows}) AS i`)
        await inTransaction(admin, () => admin.replacement!.swap(names))
      }
    })()
    await Promise.all([reading, swapping])
    const whole = new RegExp(`^${rows}\\|(\\d+)\\|\\1$`)
    expect([...seen].filter((sight) => !whole.test(sight))).toEqual([])
    expect(seen.size).toBeGreaterThan(5)
    await reader.close()
  }, 300_000)

  test("postgres replacement gives up on a lock after the given time, and leaves everything", async () => {
    const { admin, at, schema } = await fresh(version, BASIC)
    const before = await portrait(admin, "t")
    const swapper = admin.replacement!
    await swapper.createStage(names.table, names.stage)
    const reader = await open(at)
    await reader.begin()
    await reader.query(`SELECT * FROM "${schema}".t`)
    const failed = await failureOf(inTransaction(admin, () => swapper.swap({ ...names, lockTimeoutMs: 50 })))
    expect([failed.reason, failed.retryable, failed.code]).toEqual(["conflict", true, "55P03"])
    expect(failed.message).toStartWith('Cannot replace table "t" on PostgreSQL ')
    expect(failed.hint).toContain("Try again")
    expect(await portrait(admin, "t")).toEqual(before)
    expect(await admin.query("SELECT * FROM t_dpfx_b")).toEqual([])
    await reader.commit()
    await inTransaction(admin, () => swapper.swap({ ...names, lockTimeoutMs: 50 }))
    expect(await portrait(admin, "t")).toEqual(before)
    await reader.close()
  })

  test("postgres replacement gives up on those who read the table that a foreign key leads to", async () => {
    const { admin, at, schema } = await fresh(
      version,
      "CREATE TABLE o (x int PRIMARY KEY); CREATE TABLE t (a int REFERENCES o)",
    )
    const before = await portrait(admin, "t")
    await admin.replacement!.createStage(names.table, names.stage)
    const reader = await open(at)
    await reader.begin()
    await reader.query(`SELECT * FROM "${schema}".o`)
    const failed = await failureOf(inTransaction(admin, () => admin.replacement!.swap({ ...names, lockTimeoutMs: 50 })))
    expect([failed.reason, failed.retryable]).toEqual(["conflict", true])
    expect(await portrait(admin, "t")).toEqual(before)
    await reader.close()
  })

  test("postgres replacement does not wait forever to make a stage with a foreign key", async () => {
    const { admin, at, schema } = await fresh(
      version,
      "CREATE TABLE o (x int PRIMARY KEY); CREATE TABLE t (a int REFERENCES o)",
    )
    const hasty = await connect(at, testSession({ settings: { statementTimeoutMs: 50 } }))
    await admin.begin()
    await admin.execute("INSERT INTO o VALUES (1)")
    const [table, stage] = [
      { schema, name: "t" },
      { schema, name: "t_dpfx_b" },
    ] as const
    const failed = await failureOf(hasty.replacement!.createStage(table, stage))
    expect([failed.reason, failed.retryable, failed.code]).toEqual(["conflict", true, "55P03"])
    await admin.commit()
    expect(await hasty.describeTable(stage)).toBeUndefined()
    await hasty.replacement!.createStage(table, stage)
    await hasty.close()
  })

  test("postgres replacement stops waiting when the run is cancelled", async () => {
    const { admin, at, schema } = await fresh(version, BASIC)
    const [table, stage, old] = [names.table, names.stage, names.old].map(({ name }) => ({ schema, name })) as [
      TableName,
      TableName,
      TableName,
    ]
    const session = testSession()
    const cancelled = await connect(at, session)
    await cancelled.replacement!.createStage(table, stage)
    await admin.begin()
    await admin.query("SELECT * FROM t")
    await cancelled.begin()
    const swapping = failureOf(cancelled.replacement!.swap({ table, stage, old, lockTimeoutMs: 60_000 }))
    const waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    while ((await admin.query(waiting))[0]![0] !== "1") await Bun.sleep(5)
    session.abort()
    expect((await swapping).reason).toBe("cancelled")
    await admin.commit()
    await cancelled.close()
  })

  test.each([
    ["ALTER TABLE t ADD COLUMN more int", 'column "more"'],
    ["ALTER TABLE t ALTER name SET NOT NULL", 'column "name"'],
    ["ALTER TABLE t ALTER name TYPE varchar(9)", 'column "name"'],
    ["CREATE INDEX late ON t (name)", 'index "late"'],
    ["ALTER TABLE t DROP CONSTRAINT t_pkey", "index UNIQUE USING btree (id) PRIMARY KEY (id)"],
    ["ALTER TABLE t ADD CONSTRAINT late CHECK (id > 0)", 'constraint "late"'],
    ["ALTER TABLE t SET UNLOGGED", "where or how it is stored"],
    ["CREATE STATISTICS late ON id, name FROM t", 'statistics "late"'],
  ])("postgres replacement notices that somebody has changed the table: %s", async (sql, what) => {
    const { admin } = await fresh(version, BASIC)
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.execute(sql)
    const before = await portrait(admin, "t")
    const failed = await failureOf(inTransaction(admin, () => admin.replacement!.swap(names)))
    expect([failed.reason, failed.retryable]).toEqual(["conflict", false])
    expect(failed.message).toContain(`not as when the load began: `)
    expect(failed.message).toContain(what)
    expect(await portrait(admin, "t")).toEqual(before)
    expect(await admin.query("SELECT id FROM t")).toEqual([["1"]])
  })

  test("postgres replacement brings along what was set, granted, said and triggered during the load", async () => {
    const { admin } = await fresh(
      version,
      `${BASIC}; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''fired''; END'`,
    )
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.execute(
      `ALTER TABLE t SET (fillfactor = 60); GRANT SELECT ON t TO "a reader"; COMMENT ON COLUMN t.name IS 'late';
       CREATE TRIGGER late AFTER INSERT ON t EXECUTE FUNCTION f(); ALTER TABLE t ALTER name SET STATISTICS 5;
       ALTER TABLE t OWNER TO "the Owner"; ALTER INDEX t_pkey RENAME TO "new name"`,
    )
    const before = await portrait(admin, "t")
    await inTransaction(admin, () => admin.replacement!.swap(names))
    expect(await portrait(admin, "t")).toEqual(before)
  })

  test("postgres replacement loads into the stage what the table would take, and fires no trigger", async () => {
    const { admin } = await fresh(
      version,
      `CREATE TABLE o (x int PRIMARY KEY); INSERT INTO o VALUES (1);
       CREATE TABLE t (id int PRIMARY KEY, o int REFERENCES o, parent int REFERENCES t, positive int CHECK (positive > 0));
       CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''fired''; END';
       CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`,
    )
    await admin.replacement!.createStage(names.table, names.stage)
    const session = testSession()
    const load = [
      { id: 1, o: 1, parent: 2, positive: 1 },
      { id: 2, o: 1, parent: null, positive: 1 },
      { id: 2, o: 1, parent: null, positive: 1 },
      { id: 3, o: 9, parent: null, positive: 1 },
      { id: 4, o: 1, parent: 7, positive: 1 },
      { id: 5, o: 1, parent: null, positive: -1 },
    ]
    await loadStage(admin, session, load)
    expect(session.rejected.map(({ record, code }) => [record?.id, code])).toEqual([
      ["2", "23505"],
      ["3", "23503"],
      ["5", "23514"],
      ["4", "23503"],
    ])
    await inTransaction(admin, () => admin.replacement!.swap(names))
    expect(await admin.query("SELECT id, parent FROM t ORDER BY 1")).toEqual([
      ["1", "2"],
      ["2", null],
    ])
    expect((await failureOf(admin.execute("INSERT INTO t VALUES (9, 1, NULL, 1)"))).message).toContain("fired")
    await admin.execute("ALTER TABLE t DISABLE TRIGGER f")
    expect((await failureOf(admin.execute("INSERT INTO t VALUES (9, 1, 77, 1)"))).code).toBe("23503")
  })

  test("postgres replacement goes on numbering where table and stage have come to", async () => {
    const { admin } = await fresh(
      version,
      `CREATE TABLE t (up int GENERATED ALWAYS AS IDENTITY, down int GENERATED ALWAYS AS IDENTITY (INCREMENT -1), s serial, x int);
       INSERT INTO t (x) VALUES (1), (2)`,
    )
    const replaced = async (rows: number) => {
      await admin.replacement!.createStage(names.table, names.stage)
      await loadStage(
        admin,
        testSession(),
        Array.from({ length: rows }, (_, x) => ({ x })),
        ["x"],
      )
      await inTransaction(admin, () => admin.replacement!.swap(names))
      await admin.execute("INSERT INTO t (x) VALUES (100)")
      return (await admin.query("SELECT up, down, s FROM t WHERE x = 100"))[0]
    }
    expect(await replaced(1)).toEqual(["3", "-3", "4"])
    expect(await replaced(9)).toEqual(["10", "-10", "14"])
  })

  test("postgres replacement leaves the settings of the connection as they were, also when it fails", async () => {
    const { admin } = await fresh(version, BASIC)
    await admin.execute("SET default_tablespace = pg_default")
    const settings = () =>
      admin.query(
        "SELECT current_setting('search_path'), current_setting('default_tablespace'), current_setting('lock_timeout')",
      )
    const before = await settings()
    const swapper = admin.replacement!
    await swapper.createStage(names.table, names.stage)
    expect(await settings()).toEqual(before)
    expect((await failureOf(swapper.createStage(names.table, names.stage))).reason).toBe("exists")
    expect(await settings()).toEqual(before)
    await admin.begin()
    await admin.execute("SET LOCAL lock_timeout = 77")
    await swapper.swap(names)
    expect((await settings())[0]![2]).toBe("77ms")
    await admin.commit()
    await swapper.createStage(names.table, names.stage)
    await admin.execute("CREATE VIEW v AS SELECT * FROM t")
    await failureOf(inTransaction(admin, () => swapper.swap(names)))
    expect((await settings())[0]!.slice(0, 2)).toEqual(before[0]!.slice(0, 2))
  })

  test("postgres replacement takes any names, of any length", async () => {
    const { admin } = await fresh(version, "SELECT 1")
    const odd = `"; DROP TABLE x; -- 'é\\ $1 %I`
    const long = `t${"é".repeat(26)}`
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
    for (const name of [odd, long]) {
      const at = { table: { name }, stage: { name: `${name}_dpfx_b` }, old: { name: `${name}_dpfx_tmp` } }
      await admin.execute(`CREATE TABLE ${quote(name)} (${quote(odd)} int GENERATED ALWAYS AS IDENTITY CONSTRAINT ${quote(`${name.length} ${odd}`)} PRIMARY KEY,
        b serial, c int UNIQUE CONSTRAINT ${quote(`c ${odd}`)} CHECK (c > 0)); CREATE INDEX ON ${quote(name)} (c);
        COMMENT ON COLUMN ${quote(name)}.${quote(odd)} IS $$${odd}$$; INSERT INTO ${quote(name)} (c) VALUES (1)`)
      const before = await portrait(admin, quote(name))
      expect(before.length).toBeGreaterThan(5)
      await admin.replacement!.createStage(at.table, at.stage)
      await inTransaction(admin, () => admin.replacement!.swap({ ...at, lockTimeoutMs: 1000 }))
      expect(await portrait(admin, quote(name))).toEqual(before)
    }
  })

  test("postgres replacement is done by a role that is no superuser, for itself and for a role it belongs to", async () => {
    const { admin, at, schema } = await fresh(
      version,
      `CREATE TABLE o (x int PRIMARY KEY); GRANT REFERENCES, SELECT ON o TO worker, "the Owner";
       CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial, o int REFERENCES o); GRANT SELECT ON t TO "a reader"`,
    )
    await admin.execute(`GRANT "the Owner" TO worker; GRANT CREATE ON SCHEMA "${schema}" TO worker`)
    const worker = await open({ ...at, user: "worker", password: "worker" })
    await worker.execute(`SET search_path = "${schema}"`)
    for (const owner of ["worker", '"the Owner"']) {
      await admin.execute(`ALTER TABLE t OWNER TO ${owner}`)
      const before = await portrait(admin, "t")
      expect(await worker.replacement!.obstacles(names.table)).toEqual([])
      await worker.replacement!.createStage(names.table, names.stage)
      await inTransaction(worker, () => worker.replacement!.swap(names))
      expect(await portrait(admin, "t")).toEqual(before)
    }
    await worker.close()
    await admin.execute('REVOKE "the Owner" FROM worker')
  })

  test("postgres replacement leaves the planner with what it needs to know of the new rows", async () => {
    const { admin } = await fresh(
      version,
      // Before version 17 an index's function sees the search path of who analyzes.
      `CREATE FUNCTION one() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
       CREATE FUNCTION same(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 * ${version === "18" ? "1" : "one()"}; END';
       CREATE TABLE t (a int); CREATE INDEX i ON t (same(a))`,
    )
    await admin.replacement!.createStage(names.table, names.stage)
    await admin.execute("INSERT INTO t_dpfx_b SELECT i FROM generate_series(1, 1234) AS i")
    await inTransaction(admin, () => admin.replacement!.swap(names))
    expect(await admin.query("SELECT reltuples FROM pg_class WHERE oid = 't'::regclass")).toEqual([["1234"]])
  })
})

async function loadStage(
  admin: Connection,
  session: TestSession,
  rows: readonly Readonly<Record<string, number | null>>[],
  only?: readonly string[],
): Promise<void> {
  const all = (await admin.describeTable(names.stage))!.columns
  const columns = only === undefined ? all : all.filter(({ name }) => only.includes(name))
  const batch = session.batches.fromRows(columns, rows)
  async function* batches() {
    yield batch
  }
  const load = { table: names.stage, columns, mode: "append", keyColumns: [], options: {} } as const
  await inTransaction(admin, () => admin.load(load, batches(), session))
}
