import { afterAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { connect as connectPlain, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { createConnection, type RowDataPacket } from "mysql2/promise"
import postgresClient from "postgres"
import { startMariadb } from "./mariadb.ts"
import { missingMysql, mysqlVersions, startMysql } from "./mysql.ts"
import { startPostgres } from "./postgres.ts"
import { isAlive } from "./server.ts"
import type { Service } from "./service.ts"
import { mariadb, mysql, postgres } from "./services.ts"

const ODD_PASSWORD = "a'b\\ @/%#\""
const own: Service[] = []
afterAll(() => Promise.all(own.map((service) => service.stop())))

const missing = mysqlVersions.map(missingMysql).find((why) => why !== undefined)
if (missing !== undefined) console.error(`SKIPPED: the tests of services mysql. ${missing}`)

describe.each([
  { kind: "postgres" as const, share: postgres, start: startPostgres },
  { kind: "mariadb" as const, share: mariadb, start: startMariadb },
  ...(missing === undefined ? [{ kind: "mysql" as const, share: mysql, start: startMysql }] : []),
])("services", ({ kind, share, start }) => {
  test(`services ${kind} shares one server between the tests of a process`, async () => {
    expect(await share()).toBe(await share())
  })

  test(`services ${kind} keeps databases apart`, async () => {
    const service = await share()
    const [one, two] = [await service.createDatabase("services"), await service.createDatabase("services")]
    expect(one).not.toBe(two)
    await query(service, "create table t (a int)", one)
    await query(service, "create table t (a int)", two)
  })

  test(`services ${kind} refuses a wrong password and takes an odd one`, async () => {
    const service = await start({ password: ODD_PASSWORD })
    own.push(service)
    expect(await query(service, "select 1 as a")).toEqual([{ a: 1 }])
    const failure = await query({ ...service, password: "wrong" }, "select 1").catch(String)
    expect(failure).toMatch(/password authentication failed|Access denied/)
  })

  test(`services ${kind} keeps its data and its port over kill -9 and restart`, async () => {
    const service = await start()
    own.push(service)
    const database = await service.createDatabase("services")
    await query(service, "create table t (a int)", database)
    await query(service, "insert into t values (7)", database)
    const first = service.pid
    await service.kill("SIGKILL")
    expect(isAlive(first)).toBe(false)
    await expect(query(service, "select 1")).rejects.toThrow()
    await service.restart()
    expect(service.pid).not.toBe(first)
    expect(await query(service, "select a from t", database)).toEqual([{ a: 7 }])
    expect(service.log()).toContain("ready")
  })

  test(`services ${kind} shows a certificate that its authority vouches for`, async () => {
    const service = await share()
    const other = await start({ ssl: { names: ["db.example"] } })
    own.push(other)
    expect(await handshake(service, service.caCertificate)).toBe("trusted")
    expect(await handshake(service, other.caCertificate)).toMatch(/verify|issuer|self.signed/i)
    expect(await handshake(other, other.caCertificate)).toMatch(/altname|does not match/i)
  })

  test(`services ${kind} can insist on TLS`, async () => {
    const service = await start({ ssl: { require: true } })
    own.push(service)
    expect(await query(service, "select 1 as a", undefined, { ca: service.caCertificate ?? "" })).toEqual([{ a: 1 }])
    await expect(query(service, "select 1")).rejects.toThrow()
  })

  test(`services ${kind} takes settings`, async () => {
    const service = await start({ settings: kind === "postgres" ? { work_mem: "7MB" } : { "sort-buffer-size": "7M" } })
    own.push(service)
    const [row] = await query(service, kind === "postgres" ? "show work_mem" : "select @@sort_buffer_size as work_mem")
    expect(row).toEqual({ work_mem: kind === "postgres" ? "7MB" : 7 * 1024 * 1024 })
  })

  test(`services ${kind} leaves nothing behind after stop`, async () => {
    const service = await start()
    const folder = folderOf(kind, service.pid)
    expect(folder).not.toBe("")
    await service.stop()
    expect(isAlive(service.pid)).toBe(false)
    expect(existsSync(join(tmpdir(), folder))).toBe(false)
  })

  test(`services ${kind} ends with a process that is killed, even when a grandchild lives on`, async () => {
    const owner = Bun.spawn([process.execPath, "-e", OWNER, join(import.meta.dir, `${kind}.ts`)], { stdout: "pipe" })
    const { server, grandchild } = JSON.parse(await firstLine(owner.stdout)) as { server: number; grandchild: number }
    try {
      const folder = folderOf(kind, server)
      expect(isAlive(server)).toBe(true)
      expect(folder).not.toBe("")
      owner.kill("SIGKILL")
      await eventually(() => !isAlive(server) && !existsSync(join(tmpdir(), folder)))
      expect(isAlive(grandchild)).toBe(true)
    } finally {
      process.kill(grandchild)
    }
  })
})

test("services postgres offers an older version beside the newest", async () => {
  expect((await postgres()).version).toStartWith("18.")
  expect((await postgres("15")).version).toStartWith("15.")
  await expect(startPostgres({ version: "9" })).rejects.toThrow('Cannot start postgres "9"')
})

test.skipIf(missing !== undefined)("services mysql offers older versions beside the newest", async () => {
  expect(mysqlVersions).toEqual(["newest", "8.0", "5.7"])
  expect(Number.parseFloat((await mysql("newest")).version)).toBeGreaterThan(9.6)
  expect((await mysql("8.0")).version).toStartWith("8.0.")
  expect((await mysql("5.7")).version).toStartWith("5.7.")
  await expect(startMysql({ version: "5.7", ssl: true })).rejects.toThrow("TLS 1.1")
})

test("services mariadb points its own client at the server, user included", async () => {
  const service = await mariadb()
  const client = Bun.spawnSync(["mariadb", "--batch", "--skip-column-names", "-e", "select current_user(), @@port"], {
    env: { ...process.env, ...service.env },
  })
  expect(client.stdout.toString().trim()).toBe(`root@%\t${service.port}`)
})

const OWNER = `
  const module = await import(process.argv[1])
  const service = await (module.startPostgres ?? module.startMariadb ?? module.startMysql)()
  const grandchild = Bun.spawn(["sleep", "60"], { detached: true, stdout: "ignore", stderr: "ignore" })
  console.log(JSON.stringify({ server: service.pid, grandchild: grandchild.pid }))
  await Bun.sleep(60_000)
`

async function query(
  service: Service,
  text: string,
  database = service.database,
  ssl?: { readonly ca: string },
): Promise<unknown[]> {
  const { host, port, user, password } = service
  if (service.kind === "postgres") {
    const client = postgresClient({ host, port, user, password, database, max: 1, ...(ssl && { ssl }) })
    return client
      .unsafe(text)
      .then((rows) => [...rows])
      .finally(() => client.end())
  }
  const client = await createConnection({ host, port, user, password, database, ...(ssl && { ssl }) })
  return client
    .query<RowDataPacket[]>(text)
    .then(([rows]) => rows)
    .finally(() => client.end())
}

/** What TLS says of the server: its own word, below any driver's idea of verification. */
async function handshake(service: Service, ca = ""): Promise<string> {
  if (service.kind !== "postgres") {
    const { host, port, user, password } = service
    const ssl = { ca, verifyIdentity: true }
    return createConnection({ host, port, user, password, ssl })
      .then((client) => client.end())
      .then(() => "trusted")
      .catch(String)
  }
  const socket = await new Promise<Socket>((resolve, reject) => {
    const plain = connectPlain(service.port, service.host, () => {
      // SSLRequest, answered by a single "S".
      plain.write(Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f))
      plain.once("data", () => resolve(plain))
    })
    plain.once("error", reject)
  })
  return new Promise((resolve) => {
    const secure = connectTls({ socket, ca, host: service.host, servername: "localhost" })
    secure.once("secureConnect", () => resolve("trusted")).once("error", (cause) => resolve(String(cause)))
    secure.once("secureConnect", () => secure.destroy())
  })
}

/** The folder of the server with this process, among those of other tests on this machine. */
function folderOf(kind: string, pid: number): string {
  const isOf = (name: string) => {
    const file = join(tmpdir(), name, "pid")
    try {
      return Number(readFileSync(file, "utf8")) === pid
    } catch {
      return false
    }
  }
  return readdirSync(tmpdir()).find((name) => name.startsWith(`headrace-${kind}-`) && isOf(name)) ?? ""
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = ""
  for await (const chunk of stream) {
    text += new TextDecoder().decode(chunk)
    if (text.includes("\n")) break
  }
  return text.split("\n")[0] ?? ""
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(20)
}
