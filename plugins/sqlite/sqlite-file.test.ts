import { afterAll, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Connection } from "../../core/contract/index.ts"
import { databaseInput } from "../../core/database/database-input.ts"
import { databaseOutput } from "../../core/database/database-output.ts"
import { testSession } from "../../scripts/testing/session.ts"
import sqlite from "./sqlite.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-sqlite-file-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newPath = () => join(folder, `${++files}.db`)
const settingsOf = (path: string) => ({ path, readOnly: false, busyTimeoutMs: 1000, createIfMissing: true })

function connect(path: string): Promise<Connection> {
  return sqlite.connect(settingsOf(path), testSession())
}

/** A component's configuration with its defaults, as the host fills them in. */
function filled<C>(
  component: { readonly config: { properties: Record<string, { default?: unknown }> } },
  given: object,
): C {
  const defaults = Object.entries(component.config.properties).filter(([, { default: value }]) => value !== undefined)
  return { ...Object.fromEntries(defaults.map(([name, property]) => [name, property.default])), ...given } as C // by its schema
}

const source = (path: string) => ({ name: "shop", type: "sqlite", settings: settingsOf(path) })
const columns = [{ name: "id", type: { kind: "int64" }, nullable: false }] as const

test("sqlite names a file that is missing, and makes none, for whatever reads", async () => {
  const path = newPath()
  const input = databaseInput(sqlite)
  const missing = { reason: "missing", message: expect.stringContaining(`Cannot open "${path}"`) }
  for (const given of [{ table: "orders" }, { query: "SELECT 1 AS one" }, { table: "orders", splitColumn: "id" }]) {
    const config = filled<Parameters<typeof input.plan>[0]>(input, { dataSource: source(path), ...given })
    await expect(input.plan(config, {}, testSession())).rejects.toMatchObject(missing)
    await expect(input.open(config, { columns: ["id"], parallel: 2 }, testSession())).rejects.toMatchObject(missing)
  }
  await using connection = await connect(path)
  await expect(connection.query("SELECT 1")).rejects.toMatchObject(missing)
  await expect(connection.tables()).rejects.toMatchObject(missing)
  await expect(sqlite.snapshot(settingsOf(path), 1, testSession())).rejects.toMatchObject(missing)
  expect(readdirSync(folder)).toEqual([])
})

test("sqlite makes the file of a planned table only when the table is made", async () => {
  const path = newPath()
  const output = databaseOutput(sqlite)
  const config = filled<Parameters<typeof output.plan>[0]>(output, {
    dataSource: source(path),
    table: "orders",
    createTable: true,
  })
  const { creates } = await output.plan(config, columns, testSession())
  expect(existsSync(path)).toBe(false)
  await expect(output.plan({ ...config, createTable: false }, columns, testSession())).rejects.toMatchObject({
    reason: "missing",
    message: expect.stringContaining(path),
  })
  await using early = await connect(path)
  await using maker = await connect(path)
  expect(await early.describeTable({ name: "orders" })).toBeUndefined()
  await maker.begin()
  await maker.execute(creates![0]!)
  await maker.commit()
  expect(await maker.query("PRAGMA journal_mode")).toEqual([["wal"]])
  expect((await early.describeTable({ name: "orders" }))?.columns.map(({ name }) => name)).toEqual(["id"])
  expect(await early.query("SELECT count(*) FROM orders")).toEqual([["0"]])
})

test("sqlite says why it cannot make a file", async () => {
  await using connection = await connect(join(folder, "no", "folder.db"))
  await expect(connection.execute("CREATE TABLE t (v)")).rejects.toMatchObject({ reason: "missing" })
  await connection.rollback()
})

test("sqlite lends a lock to one connection at a time", async () => {
  const path = newPath()
  const first = await connect(path)
  await using second = await connect(path)
  expect(await first.lock!("a/b")).toBe(true)
  expect(await first.lock!("a/b")).toBe(true)
  expect(await second.lock!("a/b")).toBe(false)
  expect(await second.lock!("a b")).toBe(true)
  expect(existsSync(path)).toBe(false)
  await first.close()
  expect(await second.lock!("a/b")).toBe(true)
})

test("sqlite fails where it cannot keep a lock", async () => {
  await using connection = await connect(join(folder, "no", "folder.db"))
  await expect(connection.lock!("x")).rejects.toMatchObject({ reason: "missing" })
})

/** The program itself: killing the script that npm puts in its place would leave it alive. */
function deno(): string {
  const root = new URL("../../", import.meta.url).pathname
  return join(root, [...new Bun.Glob("node_modules/@deno/*/deno").scanSync({ cwd: root })][0]!)
}

test.each(["bun", "deno"])("sqlite frees a lock when the %s process that holds it dies", async (runtime) => {
  const path = newPath()
  const program = `
    import sqlite from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)}
    const session = { failure: (reason, message, options) => Object.assign(new Error(message, options), { reason }), signal: new AbortController().signal }
    const connection = await sqlite.connect(${JSON.stringify(settingsOf(path))}, session)
    // Nobody else refers to it, and what is collected as garbage is closed.
    globalThis.kept = connection
    console.log(await connection.lock("x"))
    setInterval(() => {}, 1000)`
  const command = runtime === "bun" ? [process.execPath, "-e", program] : [deno(), "eval", "--ext=ts", program]
  const holder = Bun.spawn(command, { stdout: "pipe" })
  await using connection = await connect(path)
  try {
    const { value } = await holder.stdout.getReader().read()
    expect(new TextDecoder().decode(value).trim()).toBe("true")
    expect(await connection.lock!("x")).toBe(false)
  } finally {
    holder.kill("SIGKILL")
    await holder.exited
  }
  expect(await connection.lock!("x")).toBe(true)
})

test("sqlite lets no statement of a flow reach another file", async () => {
  const [own, other, copy] = [newPath(), newPath(), newPath()]
  await using writer = await connect(other)
  await writer.execute("CREATE TABLE secrets AS SELECT 'geheim' AS password")
  await using connection = await connect(own)
  await connection.execute("CREATE TABLE t AS SELECT 1 AS id")
  const refused = { message: expect.stringContaining("too many attached databases - max 0") }
  for (const sql of [`ATTACH DATABASE '${other}' AS o`, `ATTACH 'file:${other}?mode=ro' AS o`, `VACUUM INTO '${copy}'`])
    await expect(connection.execute(sql)).rejects.toMatchObject(refused)
  await expect(connection.query("SELECT * FROM o.secrets")).rejects.toThrow()
  expect(existsSync(copy)).toBe(false)
  await using missing = await connect(newPath())
  await expect(missing.query(`SELECT 1 FROM pragma_database_list WHERE name = 'o'`)).rejects.toThrow()
})
