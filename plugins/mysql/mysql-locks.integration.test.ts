import { expect, test } from "bun:test"
import type { Connection } from "../../core/contract/index.ts"
import { series } from "../../scripts/testing/mysql-series.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import type { MysqlSettings } from "./mysql-settings.ts"
import type { Bed } from "./testdata/database.ts"
import { onServers } from "./testdata/servers.ts"

onServers((server) => {
  const { bed } = server

  const newId = () => `20240601T101112-${crypto.randomUUID().slice(0, 8)}`

  function connect(settings: MysqlSettings, id: string, fence: number): Promise<Connection> {
    return mysqlDatabase.connect(settings, { ...testSession(), run: { id, fence } })
  }

  async function idOf(connection: Connection): Promise<string> {
    return (await connection.query("select connection_id()"))[0]![0]!
  }

  async function isAlive(at: Bed, id: string): Promise<boolean> {
    return (await at.connection.query("select 1 from information_schema.PROCESSLIST where ID = ?", [id])).length > 0
  }

  async function caught(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => undefined,
      (cause: unknown) => cause,
    )
  }

  test("mysql gives every connection of an attempt a lock of its own", async () => {
    await using at = await bed()
    const id = newId()
    await using first = await connect(at.settings, id, 3)
    const second = await connect(at.settings, id, 3)
    const holders = async () =>
      (await first.query("select is_used_lock(?), is_used_lock(?)", [`headrace:${id}:3:1`, `headrace:${id}:3:2`]))[0]
    expect(await holders()).toEqual([await idOf(first), await idOf(second)])
    await second.close()
    // A server notices a moment later that a connection is closed.
    while ((await holders())?.[1] !== null) await Bun.sleep(5)
    await using third = await connect(at.settings, id, 3)
    expect((await holders())?.[1]).toBe(await idOf(third))
  })

  test("mysql gives the console's connections no name", async () => {
    await using at = await bed()
    await using console = await connect(at.settings, "console", 1)
    expect(await console.query("select is_used_lock('headrace:console:1:1')")).toEqual([[null]])
  })

  test("mysql ends the connections of earlier attempts and no others", async () => {
    await using at = await bed()
    const id = newId()
    await using other = await connect(at.settings, newId(), 1)
    const earlier = [
      await connect(at.settings, id, 1),
      await connect(at.settings, id, 1),
      await connect(at.settings, id, 2),
    ]
    await using twin = await connect(at.settings, id, 3)
    await using later = await connect(at.settings, id, 4)
    await using mine = await connect(at.settings, id, 3)
    const ids = await Promise.all(earlier.map(idOf))
    await mine.evictOthers!({ id, fence: 3 })
    for (const gone of ids) while (await isAlive(at, gone)) await Bun.sleep(5)
    for (const kept of [other, twin, later, mine]) expect(await kept.query("select 1")).toEqual([["1"]])
    await mine.evictOthers!({ id, fence: 3 })
  })

  test.each(["run with a name that is long and has 'quotes', spaces and more characters than a lock", "Test", "größe"])(
    "mysql recognises the run %p",
    async (id) => {
      await using at = await bed()
      const unique = `${id} ${crypto.randomUUID()}`
      const earlier = await connect(at.settings, unique, 1)
      await using twin = await connect(at.settings, unique.toUpperCase(), 1)
      await using mine = await connect(at.settings, unique, 2)
      await mine.evictOthers!({ id: unique, fence: 2 })
      await expect(earlier.query("select 1")).rejects.toMatchObject({ reason: "connection" })
      expect(await twin.query("select 1")).toEqual([["1"]])
    },
  )

  test("mysql rolls back what an evicted connection had open before it says that it is gone", async () => {
    await using at = await bed()
    await at.connection.execute("create table r (id int primary key)")
    const id = newId()
    const earlier = await connect(at.settings, id, 1)
    await earlier.begin()
    await earlier.execute(`insert into r select seq + 1 from ${series(1000)}`)
    await using mine = await connect(at.settings, id, 2)
    await mine.evictOthers!({ id, fence: 2 })
    await mine.execute("set session innodb_lock_wait_timeout = 1")
    await mine.execute("insert into r values (500)")
    expect(await mine.query("select * from r")).toEqual([["500"]])
  })

  test("mysql ends an earlier attempt that hangs in a statement", async () => {
    await using at = await bed()
    const id = newId()
    const earlier = await connect(at.settings, id, 1)
    const hanging = caught(earlier.execute("do sleep(100)"))
    await using mine = await connect(at.settings, id, 2)
    await mine.evictOthers!({ id, fence: 2 })
    expect(await hanging).toMatchObject({ reason: "connection" })
  })

  test("mysql ends an earlier attempt that hangs in LOAD DATA", async () => {
    await using at = await bed()
    await at.connection.execute("create table l (id int primary key)")
    const id = newId()
    const hanging = await elsewhere(`
    const link = await Link.open(${JSON.stringify(at.settings)}, { ...testSession(), run: { id: "${id}", fence: 1 } })
    await link.wire.run("START TRANSACTION")
    await link.wire.sendFile("LOAD DATA LOCAL INFILE 'headrace' INTO TABLE l", (function* () {
      yield new TextEncoder().encode("1\\n2\\n")
      console.log(link.wire.threadId)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })())`)
    try {
      await using mine = await connect(at.settings, id, 2)
      expect(await isAlive(at, hanging.said)).toBe(true)
      await mine.evictOthers!({ id, fence: 2 })
      while (await isAlive(at, hanging.said)) await Bun.sleep(5)
      expect(await mine.query("select * from l")).toEqual([])
    } finally {
      hanging.process.kill("SIGKILL")
    }
  })

  test("mysql names the privilege that is missing to end an earlier attempt of another user", async () => {
    await using at = await bed()
    const id = newId()
    const user = `u${crypto.randomUUID().slice(0, 8)}`
    await at.connection.execute(`create user ${user} identified by 'x'`)
    await at.connection.execute(`grant select on ${at.settings.database}.* to ${user}`)
    await using earlier = await connect(at.settings, id, 1)
    {
      await using guest = await connect({ ...at.settings, user, password: "x" }, id, 2)
      expect(await caught(guest.evictOthers!({ id, fence: 2 }))).toMatchObject({
        reason: "conflict",
        retryable: false,
        code: "1095",
        hint: expect.stringContaining(`Grant the user CONNECTION${server.mariadb ? " " : "_"}ADMIN`),
      })
    }
    expect(await earlier.query("select 1")).toEqual([["1"]])
    await at.connection.execute(`drop user ${user}`)
  })

  test("mysql lends a lock to one connection at a time", async () => {
    await using at = await bed()
    const name = `headrace:replace:${"long ".repeat(40)}${crypto.randomUUID()}`
    const first = await connect(at.settings, newId(), 1)
    await using second = await connect(at.settings, newId(), 1)
    expect(await first.lock!(name)).toBe(true)
    expect(await first.lock!(name)).toBe(true)
    expect(await second.lock!(name)).toBe(false)
    expect(await second.lock!(`${name}.`)).toBe(true)
    await using neighbour = await bed()
    expect(await neighbour.connection.lock!(name)).toBe(true)
    const killed = await idOf(first)
    await second.execute(`kill connection ${killed}`)
    while (await isAlive(at, killed)) await Bun.sleep(5)
    expect(await second.lock!(name)).toBe(true)
  })

  test("mysql frees a lock when the process that holds it dies", async () => {
    await using at = await bed()
    const holder = await elsewhere(`
    const connection = new MysqlConnection(await Link.open(${JSON.stringify(at.settings)}, testSession()))
    globalThis.kept = connection
    console.log(await connection.lock("x"))
    setInterval(() => {}, 1000)`)
    try {
      expect(holder.said).toBe("true")
      expect(await at.connection.lock!("x")).toBe(false)
    } finally {
      holder.process.kill("SIGKILL")
    }
    while (!(await at.connection.lock!("x"))) await Bun.sleep(5)
  })

  /** Runs a program in a process of its own up to the first line that it writes. */
  async function elsewhere(program: string): Promise<{ readonly process: Bun.Subprocess; readonly said: string }> {
    const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).pathname)
    const imports = `
    import { testSession } from ${from("../../scripts/testing/session.ts")}
    import { MysqlConnection } from ${from("./mysql-connection.ts")}
    import { Link } from ${from("./mysql-link.ts")}`
    const process = Bun.spawn([Bun.argv[0]!, "-e", `${imports}\n${program}`], { stdout: "pipe" })
    const { value } = await process.stdout.getReader().read()
    return { process, said: new TextDecoder().decode(value).trim() }
  }
})
