import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { makeEngine, type Step } from "./engine.ts"

/**
 * Runs small flows through the whole engine and prints a line for each check; ends with 1 when one fails.
 *
 * ```
 * smoke.ts [--out FOLDER] [--postgres URL] [--mysql URL]
 * ```
 *
 * The files of `--out` are the same on every runtime. The databases have to be empty; without a URL what needs the
 * server is left out, and said to be.
 */
const { values: given } = parseArgs({
  options: { out: { type: "string" }, postgres: { type: "string" }, mysql: { type: "string" } },
})
const folder = given.out ?? mkdtempSync(join(tmpdir(), "headrace-smoke-"))
mkdirSync(folder, { recursive: true })
const sources = {
  sqlite: { type: "sqlite", settings: { path: join(folder, "local.db") } },
  ...(given.postgres && { postgres: sourceOf("postgres", given.postgres) }),
  ...(given.mysql && { mysql: sourceOf("mysql", given.mysql) }),
}
const engine = makeEngine(folder, sources)
let failures = 0

await check("rows to csv", () => engine.run([made("sqlite"), csv("sent.csv")]))
await check("csv to sqlite to csv", async () => {
  await engine.run([csvInput("sent.csv"), table("sqlite", "round")])
  await engine.run([stored("sqlite", "round"), csv("sqlite.csv")])
  mustEqual("sqlite.csv", "sent.csv")
})
await check("rows to arrow to csv", async () => {
  await engine.run([made("sqlite"), { use: "arrow-output", config: { path: "sent.arrow" } }])
  await engine.run([{ use: "arrow-input", config: { path: "sent.arrow" } }, csv("arrow.csv")])
  mustEqual("arrow.csv", "sent.csv")
})
await check("select keeps, renames and casts", async () => {
  const columns = [{ column: "text" }, { column: "id", as: "number", type: "string" }]
  await engine.run([made("sqlite"), { use: "select", config: { columns } }, csv("select.csv")])
  mustEqual("select.csv", "select.csv", (text) => text.startsWith("text,number\n"))
})
await check("a cancelled run leaves no file", async () => {
  const report = await engine.cancel([endless(), csv("cancelled.csv")])
  if (report.status !== "cancelled") throw new Error(`the run ${report.status}`)
  if (existsSync(join(folder, "cancelled.csv"))) throw new Error("a file was left")
})
await check("rows to postgres to mysql to csv", "both", async () => {
  await engine.run([made("mysql"), csv("plain.csv")])
  await engine.run([made("mysql"), table("postgres", "smoke")])
  await engine.run([stored("postgres", "smoke", false), table("mysql", "smoke", ["id"])], { parallel: 2 })
  await engine.run([stored("mysql", "smoke", false), csv("mysql.csv")])
  mustEqual("mysql.csv", "plain.csv")
})
await check("postgres to postgres, forwarded and typed", "postgres", async () => {
  await engine.run([made("sqlite"), table("postgres", "origin")])
  for (const forwarding of [true, false]) {
    const name = forwarding ? "forwarded" : "typed"
    await engine.run([stored("postgres", "origin", false), table("postgres", name)], { forwarding })
    await engine.run([stored("postgres", name), csv(`${name}.csv`)])
  }
  mustEqual("typed.csv", "forwarded.csv")
  const notes = await engine.notes([stored("postgres", "origin", false), table("postgres", "more")])
  if (!notes.some((note) => note.includes("unread"))) throw new Error("nothing was forwarded")
})
for (const database of ["postgres", "mysql"] as const) {
  await check(`a cancelled run leaves no table in ${database}`, database, async () => {
    const report = await engine.cancel([endless(), table(database, "cancelled")])
    if (report.status !== "cancelled") throw new Error(`the run ${report.status}`)
    const again = engine.run([stored(database, "cancelled", false), csv("none.csv")])
    await again.then(
      () => Promise.reject(new Error("a table was left")),
      () => undefined,
    )
  })
}
console.log(failures === 0 ? "all is well" : `${failures} failed`)
if (given.out === undefined) rmSync(folder, { recursive: true })
process.exit(failures > 0 ? 1 : 0)

type Needs = "postgres" | "mysql" | "both"

async function check(
  name: string,
  needs: Needs | (() => Promise<unknown>),
  work?: () => Promise<unknown>,
): Promise<void> {
  const run = typeof needs === "function" ? needs : work!
  const missing = typeof needs === "function" ? [] : needs === "both" ? ["postgres", "mysql"] : [needs]
  const absent = missing.filter((database) => !(database in sources))
  if (absent.length > 0) return console.log(`left out: ${name}: no --${absent.join(" and no --")}`)
  try {
    await run()
    console.log(`ok: ${name}`)
  } catch (error) {
    failures++
    const problems = (error as { problems?: readonly { message: string }[] }).problems
    console.log(`failed: ${name}: ${problems?.map(({ message }) => message).join("; ") ?? String(error)}`)
  }
}

/** Hostile rows of the types that come back from the system as the same text. */
function made(system: "sqlite" | "mysql"): Step {
  const types = ["string", "decimal(12,2)", "bytes", "uuid", "json"]
  const more = ["boolean", "float64", "date", "time", "timestamp", "timestamptz(3)", "interval", "uint64"]
  const columns = (system === "sqlite" ? [...types, ...more] : types.slice(0, 4)).map((type) => ({
    name: type === "string" ? "text" : type,
    type,
    nullShare: 0.1,
    // Not a number, and the second zero, are not the same text everywhere.
    ...(type === "float64" && { distinct: 1 }),
  }))
  const id = { name: "id", type: "int64", sequence: true }
  return { use: "rows-input", config: { rows: 3000, nasty: true, columns: [id, ...columns] } }
}

function endless(): Step {
  return { use: "rows-input", config: { rows: 1_000_000_000, columns: [{ name: "a", type: "string" }] } }
}

function csv(path: string): Step {
  return { use: "csv-output", config: { path } }
}

function csvInput(path: string): Step {
  const { columns } = made("sqlite").config as { columns: readonly { name: string; type: string }[] }
  return { use: "csv-input", config: { path, columns: columns.map(({ name, type }) => ({ name, type })) } }
}

function table(database: string, name: string, keyColumns?: readonly string[]): Step {
  const config = { dataSource: database, table: name, createTable: true, ...(keyColumns && { keyColumns }) }
  return { use: `${database}-output`, config }
}

/** A table, or its rows in order. MySQL needs no query for that: it reads a table along its key. */
function stored(database: string, name: string, inOrder = true): Step {
  const from = inOrder ? { query: `SELECT * FROM ${name} ORDER BY id` } : { table: name }
  return { use: `${database}-input`, config: { dataSource: database, ...from } }
}

function mustEqual(one: string, other: string, also: (text: string) => boolean = () => true): void {
  const left = readFileSync(join(folder, one), "utf8")
  if (left !== readFileSync(join(folder, other), "utf8")) throw new Error(`"${one}" is not what "${other}" is`)
  if (left.length === 0 || !also(left)) throw new Error(`"${one}" does not hold what it should`)
}

function sourceOf(type: string, url: string): { readonly type: string; readonly settings: object } {
  const { hostname: host, port, username, password, pathname } = new URL(url)
  const settings = {
    host,
    port: Number(port),
    user: decodeURIComponent(username),
    database: pathname.slice(1),
    tls: "off",
  }
  return { type, settings: password === "" ? settings : { ...settings, password: decodeURIComponent(password) } }
}
