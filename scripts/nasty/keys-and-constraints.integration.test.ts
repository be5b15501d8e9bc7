import { describe, expect, test } from "bun:test"
import { attempt, type Moved, move, mysqlSystem, PATHS, postgresSystem, type System, sqliteSystem } from "./systems.ts"

const ROWS = 25_000

async function source(pg: System, bad = "NULL"): Promise<void> {
  await pg.sql(`CREATE TABLE src (id int NOT NULL, k int, t text);
    INSERT INTO src SELECT i, i, CASE WHEN i = 17000 THEN ${bad} ELSE 'row ' || i END FROM generate_series(1, ${ROWS}) AS i`)
}

async function expectOneRefused(target: System, { refused, written }: Moved, row = 16_999): Promise<void> {
  expect(refused.map((one) => one.row)).toEqual([row])
  expect(written).toBe(ROWS - 1)
  expect(await target.sql("SELECT count(*), sum(id) FROM dst")).toEqual([
    [String(ROWS - 1), String((ROWS * (ROWS + 1)) / 2 - row - 1)],
  ])
}

describe.each(PATHS)("one bad row in a COPY ($path)", ({ settings }) => {
  test("case 32: postgres rejects the one row that breaks a check, with its record", async () => {
    const pg = await postgresSystem()
    await source(pg, "'bad'")
    await pg.sql("CREATE TABLE dst (id int, k int, t text CHECK (t <> 'bad'))")
    const moved = await move({ at: pg, table: "src" }, { at: pg, table: "dst" }, settings)
    await expectOneRefused(pg, moved)
    expect(moved.refused[0]?.reason).toContain('violates check constraint "dst_t_check"')
    expect(moved.refused[0]?.record).toEqual({ id: "17000", k: "17000", t: "bad" })
  })

  test("case 32: postgres rejects the one row that is NULL where it may not be", async () => {
    const pg = await postgresSystem()
    await source(pg)
    await pg.sql("CREATE TABLE dst (id int, k int, t text NOT NULL)")
    const moved = await move({ at: pg, table: "src" }, { at: pg, table: "dst" }, settings)
    await expectOneRefused(pg, moved)
    expect(moved.refused[0]).toMatchObject({ column: "t", value: null })
  })

  test("case 32: postgres rejects the second row of a key, naming column and value", async () => {
    const pg = await postgresSystem()
    await source(pg)
    await pg.sql("UPDATE src SET k = 3 WHERE id = 17000; CREATE TABLE dst (id int, k int UNIQUE, t text)")
    const moved = await move({ at: pg, query: "SELECT * FROM src ORDER BY id" }, { at: pg, table: "dst" }, settings)
    await expectOneRefused(pg, moved)
    expect(moved.refused[0]).toMatchObject({ column: "k", value: "3" })
    expect(moved.refused[0]?.reason).toContain("Key (k)=(3) already exists")
  })

  test("case 32: postgres rejects one row under a deferred constraint, before the commit could fail", async () => {
    const pg = await postgresSystem()
    await source(pg)
    await pg.sql(`UPDATE src SET k = 3 WHERE id = 17000;
      CREATE TABLE dst (id int, k int, t text, UNIQUE (k) DEFERRABLE INITIALLY DEFERRED)`)
    const moved = await move({ at: pg, query: "SELECT * FROM src ORDER BY id" }, { at: pg, table: "dst" }, settings)
    expect(moved.refused.length).toBe(1)
    expect(moved.refused[0]?.record?.k).toBe("3")
    expect(await pg.sql("SELECT count(*), count(DISTINCT k) FROM dst")).toEqual([[`${ROWS - 1}`, `${ROWS - 1}`]])
  })

  test("case 32: postgres rejects the one row whose foreign key leads nowhere", async () => {
    const pg = await postgresSystem()
    await source(pg)
    await pg.sql(`CREATE TABLE parent (k int PRIMARY KEY);
      INSERT INTO parent SELECT k FROM src WHERE k <> 17000;
      CREATE TABLE dst (id int, k int REFERENCES parent, t text)`)
    const moved = await move({ at: pg, table: "src" }, { at: pg, table: "dst" }, settings)
    await expectOneRefused(pg, moved)
    expect(moved.refused[0]).toMatchObject({ column: "k", value: "17000" })
  })

  test("case 32: postgres keeps rows whose parent stands behind them, and rejects the one without a parent", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE src (id int, k int, t text);
      INSERT INTO src SELECT i, CASE WHEN i = 17000 THEN 99999 WHEN i % 50 = 0 THEN i % 24999 + 7 END, 'x' FROM generate_series(1, ${ROWS}) AS i;
      CREATE TABLE dst (id int PRIMARY KEY, k int REFERENCES dst, t text)`)
    const moved = await move(
      { at: pg, query: "SELECT * FROM src ORDER BY id" },
      { at: pg, table: "dst" },
      {
        ...settings,
        bufferBytes: 65_536,
      },
    )
    await expectOneRefused(pg, moved)
    expect(moved.refused[0]).toMatchObject({ column: "k", value: "99999" })
  })

  test("case 32: postgres rejects the one row that a trigger raises an exception for, whatever its SQLSTATE", async () => {
    const pg = await postgresSystem()
    await source(pg, "'bad'")
    await pg.sql(`CREATE TABLE dst (id int, k int, t text);
      CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.t = 'bad' THEN RAISE EXCEPTION 'no bad rows here' USING ERRCODE = '45000'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER guard BEFORE INSERT ON dst FOR EACH ROW EXECUTE FUNCTION guard()`)
    const moved = await move({ at: pg, table: "src" }, { at: pg, table: "dst" }, settings)
    await expectOneRefused(pg, moved)
    expect(moved.refused[0]?.reason).toContain("no bad rows here")
  })

  test("case 32: postgres sorts out hundreds of bad rows in one load, at bounded cost", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE src (id int, k int, t text); INSERT INTO src SELECT i, i % 20, 'x' FROM generate_series(1, ${ROWS}) AS i;
      CREATE TABLE dst (id int, k int CHECK (k <> 7), t text)`)
    const { refused, written } = await move({ at: pg, table: "src" }, { at: pg, table: "dst" }, settings)
    expect([refused.length, written]).toEqual([ROWS / 20, ROWS - ROWS / 20])
    expect(refused.every(({ row, record }) => record?.id === String(row + 1) && record.k === "7")).toBe(true)
  })

  test.each(["overwriteRows", "updateRows"])(
    "case 32: postgres %s rejects one bad row and keeps the old one",
    async (mode) => {
      const pg = await postgresSystem()
      await source(pg, "'bad'")
      await pg.sql(
        "CREATE TABLE dst (id int PRIMARY KEY, k int, t text CHECK (t <> 'bad')); INSERT INTO dst VALUES (17000, -1, 'old'), (5, -1, 'old')",
      )
      const moved = await move({ at: pg, table: "src" }, { at: pg, table: "dst", mode }, settings)
      expect(moved.refused.map(({ row, record }) => [row, record])).toEqual([
        [16_999, { id: "17000", k: "17000", t: "bad" }],
      ])
      expect(moved.written).toBe(ROWS - 1)
      expect(await pg.sql("SELECT * FROM dst WHERE id IN (5, 17000) ORDER BY id")).toEqual([
        ["5", "5", "row 5"],
        ["17000", "-1", "old"],
      ])
      expect(await pg.sql("SELECT count(*) FROM dst")).toEqual([[String(ROWS)]])
    },
  )

  test.each(["overwriteRows", "updateRows"])(
    "case 32: postgres %s keeps the last row of a key and rejects NULL keys",
    async (mode) => {
      const pg = await postgresSystem()
      await pg.sql(`CREATE TABLE src (a int, b text, v text, w numeric, j jsonb);
      INSERT INTO src VALUES (1, 'x', 'first', 1, NULL), (NULL, 'x', 'lost "1"', 9007199254740993.10, '{"a": {"b": [1, "}"]}}'), (1, 'x', 'second', 2, NULL),
        (2, NULL, E'tab\\tline\\n', 3, '[]'), (2, 'y', 'new', NULL, 'null');
      CREATE TABLE dst (a int, b text, v text, w numeric, j jsonb, extra text DEFAULT 'dflt', PRIMARY KEY (a, b));
      INSERT INTO dst VALUES (1, 'x', 'old', 0, NULL, 'kept'), (3, 'z', 'other', 0, NULL, 'kept')`)
      const { refused, written } = await move({ at: pg, table: "src" }, { at: pg, table: "dst", mode }, settings)
      expect(written).toBe(3)
      expect(refused.map(({ row, column, value, record }) => [row, column, value, record])).toEqual([
        [1, "a", null, { a: null, b: "x", v: 'lost "1"', w: "9007199254740993.10", j: '{"a": {"b": [1, "}"]}}' }],
        [3, "b", null, { a: "2", b: null, v: "tab\tline\n", w: "3", j: "[]" }],
      ])
      expect(await pg.sql("SELECT * FROM dst ORDER BY a")).toEqual([
        ["1", "x", "second", "2", null, mode === "updateRows" ? "kept" : "dflt"],
        ["2", "y", "new", null, "null", "dflt"],
        ["3", "z", "other", "0", null, "kept"],
      ])
    },
  )

  test("case 32: postgres merge rejections name the row of the source, even behind other rejected rows", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE src (id int, d text, t text);
      INSERT INTO src SELECT i, CASE WHEN i = 3 THEN 'x' ELSE i::text END, CASE WHEN i = 8 THEN 'bad' ELSE 'ok' END FROM generate_series(1, 10) AS i;
      CREATE DOMAIN ok AS text CHECK (VALUE <> '5');
      CREATE TABLE dst (id int PRIMARY KEY, d ok, t text CHECK (t <> 'bad'))`)
    const { refused } = await move(
      { at: pg, query: "SELECT * FROM src ORDER BY id" },
      { at: pg, table: "dst", mode: "updateRows" },
      settings,
    )
    expect(refused.map(({ row, record }) => [row, record?.id])).toEqual([
      [4, "5"],
      [7, "8"],
    ])
  })

  test("case 32: postgres append rejects duplicate keys one by one", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE src (id int, t text); INSERT INTO src VALUES (1, 'a'), (2, 'b'), (1, 'c'), (NULL, 'd'), (2, 'e'), (3, 'f');
      CREATE TABLE dst (id int PRIMARY KEY, t text); INSERT INTO dst VALUES (3, 'old')`)
    const { refused } = await move({ at: pg, table: "src" }, { at: pg, table: "dst" }, settings)
    expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
      [2, "id", "1"],
      [3, "id", null],
      [4, "id", "2"],
      [5, "id", "3"],
    ])
    expect(await pg.sql("SELECT * FROM dst ORDER BY id")).toEqual([
      ["1", "a"],
      ["2", "b"],
      ["3", "old"],
    ])
  })

  test("case 33: a postgres backend that dies under a load fails the run, and nothing of the split stays", async () => {
    const pg = await postgresSystem()
    await source(pg)
    await pg.sql(`CREATE TABLE dst (id int, k int, t text);
      CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER late AFTER INSERT ON dst DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 17000) EXECUTE FUNCTION late()`)
    const { report } = await attempt({ at: pg, table: "src" }, { at: pg, table: "dst" }, settings)
    expect([report.status, report.failure?.reason]).toEqual(["failed", "connection"])
    expect(report.receipts).toEqual([])
    expect(await pg.sql("SELECT count(*) FROM dst")).toEqual([["0"]])
  })
})

describe("one bad row in other databases", () => {
  const TARGETS = [
    { kind: "mysql", make: () => mysqlSystem() },
    { kind: "sqlite", make: () => Promise.resolve(sqliteSystem()) },
  ]

  test.each(TARGETS)("case 32: $kind rejects the one row that breaks a check", async ({ make }) => {
    const [pg, target] = [await postgresSystem(), await make()]
    await source(pg, "'bad'")
    await target.sql("CREATE TABLE dst (id INTEGER, k INTEGER, t VARCHAR(20) CHECK (t <> 'bad'))")
    const moved = await move({ at: pg, table: "src" }, { at: target, table: "dst" })
    await expectOneRefused(target, moved)
    expect(moved.refused[0]?.record).toEqual({ id: "17000", k: "17000", t: "bad" })
  })

  test.each(TARGETS)("case 32: $kind rejects the second row of a key, naming column and value", async ({ make }) => {
    const [pg, target] = [await postgresSystem(), await make()]
    await source(pg)
    await pg.sql("UPDATE src SET k = 3 WHERE id = 17000")
    await target.sql("CREATE TABLE dst (id INTEGER, k INTEGER UNIQUE, t VARCHAR(20))")
    const moved = await move({ at: pg, query: "SELECT * FROM src ORDER BY id" }, { at: target, table: "dst" })
    await expectOneRefused(target, moved)
    expect(moved.refused[0]).toMatchObject({ column: "k", value: "3" })
  })

  test.each(TARGETS)("case 32: $kind rejects the one row whose foreign key leads nowhere", async ({ make, kind }) => {
    const [pg, target] = [await postgresSystem(), await make()]
    await source(pg)
    const list = Array.from({ length: ROWS }, (_, i) => i + 1).filter((k) => k !== 17_000)
    await target.sql(
      `CREATE TABLE parent (k INTEGER PRIMARY KEY); INSERT INTO parent VALUES ${list.map((k) => `(${k})`).join(",")}`,
    )
    await target.sql("CREATE TABLE dst (id INTEGER, k INTEGER, t VARCHAR(20), FOREIGN KEY (k) REFERENCES parent (k))")
    const moved = await move({ at: pg, table: "src" }, { at: target, table: "dst" })
    await expectOneRefused(target, moved)
    if (kind === "mysql") expect(moved.refused[0]).toMatchObject({ column: "k", value: "17000" })
  })

  test("case 32: mysql rejects the one row that a trigger signals an error for", async () => {
    const [pg, my] = [await postgresSystem(), await mysqlSystem()]
    await source(pg, "'bad'")
    await my.sql("CREATE TABLE dst (id INT, k INT, t VARCHAR(20))")
    await my.sql(
      "CREATE TRIGGER guard BEFORE INSERT ON dst FOR EACH ROW IF NEW.t = 'bad' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no bad rows here'; END IF",
    )
    const moved = await move({ at: pg, table: "src" }, { at: my, table: "dst" })
    await expectOneRefused(my, moved)
    expect(moved.refused[0]?.reason).toContain("no bad rows here")
  })

  test.each(TARGETS.flatMap((target) => ["overwriteRows", "updateRows"].map((mode) => ({ ...target, mode }))))(
    "case 32: $kind $mode keeps the last row of a key and rejects NULL keys",
    async ({ make, mode }) => {
      const [pg, target] = [await postgresSystem(), await make()]
      await pg.sql(`CREATE TABLE src (a int, b text, v text);
        INSERT INTO src VALUES (1, 'x', 'first'), (NULL, 'x', 'lost'), (1, 'x', 'second'), (2, NULL, 'lost too'), (2, 'y', 'new')`)
      await target.sql(`CREATE TABLE dst (a INTEGER, b VARCHAR(9), v VARCHAR(20), extra VARCHAR(9) DEFAULT 'dflt', PRIMARY KEY (a, b));
        INSERT INTO dst VALUES (1, 'x', 'old', 'kept'), (3, 'z', 'other', 'kept')`)
      const { refused, written } = await move({ at: pg, table: "src" }, { at: target, table: "dst", mode })
      expect(written).toBe(3)
      expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
        [1, "a", null],
        [3, "b", null],
      ])
      expect(await target.sql("SELECT * FROM dst ORDER BY a")).toEqual([
        ["1", "x", "second", mode === "updateRows" ? "kept" : "dflt"],
        ["2", "y", "new", "dflt"],
        ["3", "z", "other", "kept"],
      ])
    },
  )

  test.each(TARGETS)("case 33: $kind keeps nothing of a run that fails on its last row", async ({ make }) => {
    const [pg, target] = [await postgresSystem(), await make()]
    await source(pg)
    await target.sql(`CREATE TABLE dst (id INTEGER CHECK (id <> ${ROWS}), k INTEGER, t VARCHAR(20))`)
    const { report, refused } = await attempt({ at: pg, table: "src" }, { at: target, table: "dst" }, {})
    expect(report.status).toBe("failed")
    expect(refused.map(({ row }) => row)).toEqual([ROWS - 1])
    expect(await target.sql("SELECT count(*) FROM dst")).toEqual([["0"]])
  })
})
