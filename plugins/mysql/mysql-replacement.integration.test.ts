import { expect, test } from "bun:test"
import type { Connection } from "../../core/contract/index.ts"
import { series } from "../../scripts/testing/mysql-series.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import type { Bed } from "./testdata/database.ts"
import { onServers, type TestServer } from "./testdata/servers.ts"

const lockTimeoutMs = 1000
const named = (name: string) => ({
  table: { name },
  stage: { name: `${name}_b` },
  old: { name: `${name}_tmp` },
  lockTimeoutMs,
})

async function made(at: Bed, ...statements: readonly string[]): Promise<Connection> {
  for (const sql of statements) await at.connection.execute(sql)
  return at.connection
}

async function shown(connection: Connection, table: string): Promise<string> {
  return (await connection.query(`show create table \`${table.replaceAll("`", "``")}\``))[0]![1]!
}

async function tablesOf(connection: Connection): Promise<readonly string[]> {
  return (await connection.tables()).map(({ name }) => name)
}

/** What it is called, statements that make it for the table `t`, and what is said of it. */
type Obstacle = [name: string, statements: readonly string[], obstacles: readonly unknown[]]

const swapsOn = (server: TestServer) => (server.mariadb ? 500 : 100)

/** A table with all that the server knows. MySQL names checks itself, or they are an obstacle. */
function rich({ mariadb, major }: TestServer): string {
  const isNew = mariadb || major > 8
  return `create table \`or\`\`ders\` (
  id bigint unsigned not null auto_increment comment 'a key, AUTO_INCREMENT=5',
  total decimal(12,2) not null default 0.00 check (total >= 0),
  kind enum('it''s','b\\\\c') character set latin1 not null default 'it''s',
  ${isNew ? "day date default (current_date + interval 1 day)" : "day date default '2024-01-01'"},
  changed timestamp(3) not null default current_timestamp(3) on update current_timestamp(3),
  twice decimal(13,2) generated always as (total * 2) stored,
  half decimal(13,2) generated always as (total / 2) virtual ${isNew ? "invisible" : ""},
  place point not null ${!mariadb && major > 5 ? "srid 4326" : ""},
  note text collate utf8mb4_bin,
  data json,
  primary key (id),
  unique key \`k\`\`1\` (kind, day),
  key prefix (note(10)) comment 'begins',
  key unseen (changed) ${mariadb ? "ignored" : major > 5 ? "invisible" : ""},
  ${!mariadb && major > 5 ? "key computed ((total * 3), id desc)," : ""}
  fulltext key words (note),
  spatial key area (place),
  ${mariadb ? "constraint sound check (total < 1000000 or day is null)" : "check (total < 1000000 or day is null)"}
) engine=InnoDB auto_increment=77 row_format=compressed key_block_size=8 stats_persistent=1
  default charset=utf8mb4 collate=${!mariadb && major > 5 ? "utf8mb4_0900_ai_ci" : "utf8mb4_unicode_ci"} comment='all of ''it'''`
}

onServers((server) => {
  const { bed } = server

  test("mysql keeps everything that a replaced table has", async () => {
    await using at = await bed()
    const table = "or`ders"
    const place = !server.mariadb && server.major > 5 ? "ST_GeomFromText('POINT(1 2)', 4326)" : "point(1, 2)"
    const user = `u${crypto.randomUUID().slice(0, 8)}`
    const connection = await made(
      at,
      rich(server),
      "create view seen as select id, note from `or``ders`",
      `create user ${user}`,
      `grant select (note) on ${at.settings.database}.\`or\`\`ders\` to ${user}`,
      `insert into \`or\`\`ders\` (place, note) values (${place}, 'old')`,
    )
    const { replacement } = connection
    const before = await shown(connection, table)
    expect(before).toContain("AUTO_INCREMENT=78")
    expect(await replacement!.obstacles({ name: table })).toEqual([])
    const names = named(table)
    await replacement!.createStage(names.table, names.stage)
    expect((await shown(connection, names.stage.name)).replaceAll("or``ders_b", "or``ders")).toBe(before)
    await connection.execute(`insert into \`or\`\`ders_b\` (id, place, note) values (5, ${place}, 'new')`)
    await replacement!.swap(names)
    expect(await shown(connection, table)).toBe(before)
    expect(await connection.query("select id, note from seen")).toEqual([["5", "new"]])
    expect(await connection.query("select note from `or``ders_tmp`")).toEqual([["old"]])
    await using guest = await mysqlDatabase.connect({ ...at.settings, user, password: "" }, testSession())
    expect(await guest.query("select note from `or``ders`")).toEqual([["new"]])
    expect(await connection.query("select @@session.lock_wait_timeout")).toEqual(
      await connection.query("select @@global.lock_wait_timeout"),
    )
    await connection.execute(`drop user ${user}`)
  })

  test("mysql keeps the partitions of a replaced table", async () => {
    await using at = await bed()
    const connection = await made(
      at,
      `create table p (id int not null, day date not null, primary key (id, day)) partition by range columns(day)
    (partition p1 values less than ('2024-01-02') comment = 'one', partition p2 values less than (maxvalue))`,
    )
    const before = await shown(connection, "p")
    await connection.replacement!.createStage({ name: "p" }, { name: "p_b" })
    await connection.replacement!.swap(named("p"))
    expect(await shown(connection, "p")).toBe(before)
  })

  test.each([
    ["10", "300", "300"],
    ["300", "10", "301"],
  ])("mysql goes on counting from the greater of %s and %s", async (old, loaded, next) => {
    await using at = await bed()
    const connection = await made(at, "create table c (id int auto_increment primary key)")
    await connection.replacement!.createStage({ name: "c" }, { name: "c_b" })
    await made(at, `insert into c values (${old})`, `insert into c_b values (${Number(loaded) - 1})`)
    await connection.replacement!.swap(named("c"))
    await connection.execute("insert into c values ()")
    expect(await connection.query("select max(id) from c")).toEqual([[next]])
  })

  const onlyMariadb: readonly Obstacle[] = [
    ["a sequence", ["create sequence t"], ["it is a sequence"]],
    [
      "a table with a history",
      ["create table t (id int) with system versioning"],
      ["it is versioned by the system, and its history would be lost"],
    ],
  ]
  const onlyMysql: readonly Obstacle[] = [
    [
      "a check that somebody has named",
      ["create table t (id int, constraint `s``d` check (id > 0))"],
      ['check "s`d" would get another name'],
    ],
  ]
  test.each<Obstacle>([
    ...(server.mariadb ? onlyMariadb : server.checks ? onlyMysql : []),
    [
      "triggers",
      ["create table t (id int)", "create trigger tr before insert on t for each row set new.id = 1"],
      ['trigger "tr" would stay on the old table'],
    ],
    [
      "foreign keys of the table",
      [
        "create table p (id int primary key)",
        "create table t (id int, constraint `f``k` foreign key (id) references p (id))",
      ],
      ['foreign key "f`k" belongs to it and would stay on the old table'],
    ],
    [
      "foreign keys that refer to the table",
      [
        "create table t (id int primary key)",
        "create table c (id int, constraint fk foreign key (id) references t (id))",
      ],
      [expect.stringMatching(/^foreign key "fk" of "mysql_\w+\.c" would follow the old table$/)],
    ],
    ["a view", ["create view t as select 1 as id"], ["it is a view"]],
    ["a temporary table", ["create temporary table t (id int)"], ["it is a temporary table"]],
    [
      "an engine without transactions",
      ["create table t (id int) engine=MyISAM"],
      ['engine "MyISAM" has no transactions'],
    ],
  ])("mysql names %s as an obstacle and swaps nothing", async (_, statements, obstacles) => {
    await using at = await bed()
    const connection = await made(at, ...statements, "create table t_b (id int)")
    const before = await shown(connection, "t")
    const tables = await tablesOf(connection)
    expect(await connection.replacement!.obstacles({ schema: at.settings.database, name: "t" })).toEqual([
      ...obstacles,
    ] as string[])
    expect(await connection.replacement!.obstacles({ name: "t" })).toEqual([...obstacles] as string[])
    await expect(connection.replacement!.swap(named("t"))).rejects.toMatchObject({
      reason: "config",
      message: expect.stringContaining('Cannot put "t_b" in the place of "t": '),
    })
    expect(await tablesOf(connection)).toEqual(tables)
    expect(await shown(connection, "t")).toBe(before)
  })

  test("mysql names missing privileges as an obstacle", async () => {
    await using at = await bed()
    const user = `u${crypto.randomUUID().slice(0, 8)}`
    await made(at, "create table t (id int)", `create user ${user}`)
    const grant = async (privileges: string) => at.connection.execute(`grant ${privileges} to ${user}`)
    const obstacles = async () => {
      await using guest = await mysqlDatabase.connect({ ...at.settings, user, password: "" }, testSession())
      return await guest.replacement!.obstacles({ name: "t" })
    }
    const { database } = at.settings
    await grant(`select, insert on ${database}.t`)
    expect(await obstacles()).toEqual([
      "the user lacks privileges on it: CREATE, ALTER, DROP",
      "the user lacks the privilege TRIGGER, so triggers of it cannot be seen",
    ])
    await grant(`create, alter, drop on \`${database.replaceAll("_", "\\_")}\`.*`)
    expect(await obstacles()).toEqual(["the user lacks the privilege TRIGGER, so triggers of it cannot be seen"])
    await grant(`trigger on \`${database.slice(0, 9)}%\`.*`)
    expect(await obstacles()).toEqual([])
    await at.connection.execute(`drop user ${user}`)
  })

  test("mysql says that a table to replace is missing", async () => {
    await using at = await bed()
    await expect(at.connection.replacement!.obstacles({ name: "t" })).rejects.toMatchObject({ reason: "missing" })
    await expect(at.connection.replacement!.contents!({ name: "t" })).rejects.toMatchObject({ reason: "missing" })
  })

  test("mysql swaps nothing when the table was changed since it was copied", async () => {
    await using at = await bed()
    const connection = await made(at, "create table t (id int)")
    await connection.replacement!.createStage({ name: "t" }, { name: "t_b" })
    await connection.execute("alter table t add column late int")
    await expect(connection.replacement!.swap(named("t"))).rejects.toMatchObject({
      reason: "conflict",
      retryable: false,
      message: 'Cannot put "t_b" in the place of "t": they differ in "`late` int(11) DEFAULT NULL"'.replace(
        "(11)",
        server.mariadb || server.major < 9 ? "(11)" : "",
      ),
    })
    expect(await tablesOf(connection)).toEqual(["t", "t_b"])
  })

  test("mysql copies a table with foreign keys, for rows that are moved by other means", async () => {
    await using at = await bed()
    const connection = await made(
      at,
      "create table p (id int primary key)",
      "create table t (id int, constraint fk foreign key (id) references p (id))",
    )
    await connection.replacement!.createStage({ name: "t" }, { name: "t_b" })
    expect(await shown(connection, "t_b")).not.toContain("CONSTRAINT")
  })

  test("mysql lets a stage that exists alone", async () => {
    await using at = await bed()
    const connection = await made(at, "create table t (id int)", "create table t_b (other int)")
    const creating = connection.replacement!.createStage({ name: "t" }, { name: "t_b" })
    await expect(creating).rejects.toMatchObject({ reason: "exists" })
    expect(await shown(connection, "t_b")).toContain("other")
  })

  test("mysql waits for a reader no longer than it was told, and swaps once the reader has gone", async () => {
    await using at = await bed()
    const connection = await made(at, "create table t (id int)", "insert into t values (1)")
    await connection.replacement!.createStage({ name: "t" }, { name: "t_b" })
    await using reader = await mysqlDatabase.connect(at.settings, testSession())
    await reader.begin()
    await reader.query("select * from t")
    await expect(connection.replacement!.swap(named("t"))).rejects.toMatchObject({
      reason: "conflict",
      retryable: true,
    })
    expect(await tablesOf(connection)).toEqual(["t", "t_b"])
    expect(await connection.query("select @@session.lock_wait_timeout = @@global.lock_wait_timeout")).toEqual([["1"]])
    expect(await reader.query("select * from t")).toEqual([["1"]])
    await reader.commit()
    await connection.replacement!.swap(named("t"))
    expect(await reader.query("select * from t")).toEqual([])
  })

  test("mysql shows readers either all old rows or all new ones, at every instant of hundreds of swaps", async () => {
    await using at = await bed()
    const fill = (table: string, value: number) => `insert into ${table} select seq, ${value} from ${series(50)}`
    const connection = await made(at, "create table t (id int primary key, v int not null)", fill("t", 0))
    const { replacement } = connection
    let swapping = true
    const seen = new Set<string>()
    const read = async (statement: string) => {
      await using reader = await mysqlDatabase.connect(at.settings, testSession())
      while (swapping) for (const row of await reader.query(statement)) seen.add(row.join(" "))
    }
    const readers = Promise.all([
      read("select count(*), min(v) = max(v) from t"),
      read("select count(a.v), min(a.v = b.v) from t a join t b using (id)"),
    ])
    try {
      for (let i = 1; i <= swapsOn(server); i++) {
        await replacement!.createStage({ name: "t" }, { name: "t_b" })
        await connection.execute(fill("t_b", i))
        await replacement!.swap({ ...named("t"), lockTimeoutMs: 10_000 })
        await connection.execute("drop table t_tmp")
      }
    } finally {
      swapping = false
      await readers
    }
    expect([...seen]).toEqual(["50 1"])
    expect(await connection.query("select min(v) from t")).toEqual([[String(swapsOn(server))]])
  }, 300_000)
})
