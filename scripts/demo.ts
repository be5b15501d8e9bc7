import { copyFileSync, mkdtempSync, readFileSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { count } from "../runtime/cli/number-text.ts"

/** Unknown birds tell nothing. */
const BIRDS = `
  SELECT species, count(*) AS strikes, sum(cost) AS dollars, max(cost) AS worst
  FROM strikes WHERE species NOT LIKE 'Unknown%' GROUP BY species ORDER BY dollars DESC LIMIT 5`

/** Great-circle distance by the haversine formula, on a sphere of 6371 km. */
const ROUTES = `
  SELECT a.city || ' - ' || b.city AS route, count AS flights, CAST(12742 * asin(sqrt(
    pow(sin(radians(b.latitude - a.latitude) / 2), 2)
    + cos(radians(a.latitude)) * cos(radians(b.latitude)) * pow(sin(radians(b.longitude - a.longitude) / 2), 2)
  )) AS INTEGER) AS km
  FROM flights JOIN airports a ON a.iata = origin JOIN airports b ON b.iata = destination
  ORDER BY count DESC LIMIT 5`

const FILES = ["airports.csv", "flights-airport.csv", "birdstrikes.csv"]

/** Real data through the real command line, in seconds: files into SQLite, a question to it, a cleaned table back out. */
const root = join(import.meta.dir, "..")
const data = join(root, "node_modules/vega-datasets/data")
const folder = mkdtempSync(join(tmpdir(), "headrace-demo-"))
const main = join(root, "runtime/main.ts")

say("Headrace moves tables. Here are three files of the npm package vega-datasets, as CSV.")
say(`Everything happens in ${folder}`)
for (const file of FILES) copyFileSync(join(data, file), join(folder, file))
await damage("birdstrikes.csv", "1990-01-09", "1990-01-39")

step("1. A file becomes a table: the types are inferred, the table is made.")
await headrace("copy", "airports.csv", "flying.db:airports")
await headrace("copy", "flights-airport.csv", "flying.db:flights")

step("2. A flow: 10 000 collisions of aircraft with birds; columns are chosen, renamed and cast.")
say("One date was made a 39th of January before, to show what becomes of a bad row: it is set aside.")
await Bun.write(join(folder, "strikes.json"), JSON.stringify(strikesFlow(), null, 2))
await headrace("check", "strikes.json")
await headrace("run", "strikes.json")

step("3. What does the table look like, and what are the first rows of the flow?")
await headrace("columns", "flying.db", "strikes")
await headrace("preview", "strikes.json", "--rows", "3")

step("4. Two questions that the files could not answer.")
const database = new DatabaseSync(join(folder, "flying.db"), { readOnly: true })
ask("Which birds cost the most?", BIRDS)
ask("Which are the busiest routes, and how far do they go?", ROUTES)
database.close()

step("5. And back out, compressed; the receipt accounts for every row.")
await headrace("copy", "flying.db:strikes", "costly.csv.gz", "--where", "cost > 100000")
say(`costly.csv.gz has ${count(statSync(join(folder, "costly.csv.gz")).size)} bytes`)

const program = `npx -y bun@${Bun.version} ${main}`
say(`
Try next:
  cd ${folder}
  ${program} --help
  ${program} copy flying.db:airports alaska.csv --where "state = 'AK'"
  ${program} plan strikes.json
  ${program} component csv-input
Your own database: describe it in headrace.sources.json, as web/docs/data-sources.md shows.`)

function strikesFlow(): object {
  return {
    version: 1,
    name: "strikes",
    steps: [
      { id: "read", use: "csv-input", config: { path: "birdstrikes.csv" } },
      {
        id: "shape",
        use: "select",
        config: {
          columns: [
            { column: "Flight Date", as: "day", type: "date" },
            { column: "Airport Name", as: "airport" },
            { column: "Wildlife Species", as: "species" },
            { column: "Speed IAS in knots", as: "knots" },
            { column: "Cost Total $", as: "cost", type: "int64" },
          ],
        },
      },
      { id: "write", use: "sqlite-output", config: { dataSource: "flying.db", table: "strikes", createTable: true } },
    ],
    hops: [
      { from: "read", to: "shape" },
      { from: "shape", to: "write" },
    ],
    settings: { errorLimit: 10 },
  }
}

/** The program as a user calls it. */
async function headrace(...words: readonly string[]): Promise<void> {
  const shown = words.map((word) => (/[\s>']/.test(word) ? `"${word}"` : word))
  say(`\n$ headrace ${shown.join(" ")}`)
  const child = Bun.spawn([process.execPath, main, ...words], {
    cwd: folder,
    env: { ...process.env, HEADRACE_HOME: join(folder, "home") },
    stdio: ["ignore", "inherit", "inherit"],
  })
  const code = await child.exited
  if (code !== 0) process.exit(code)
}

function ask(question: string, sql: string): void {
  const rows = database.prepare(sql).all()
  const names = Object.keys(rows[0] ?? {})
  const columns = names.map((name) => {
    const values = rows.map((row) => row[name])
    const cells = [name, ...values.map((value) => (typeof value === "number" ? count(value) : String(value)))]
    const width = Math.max(...cells.map((cell) => cell.length))
    return cells.map((cell) => (typeof values[0] === "number" ? cell.padStart(width) : cell.padEnd(width)))
  })
  say(`\n${question}`)
  for (const line of columns[0]?.keys() ?? []) say(`  ${columns.map((cells) => cells[line]).join("  ")}`)
}

/** Makes one value of a file a bad one. */
async function damage(file: string, good: string, bad: string): Promise<void> {
  const path = join(folder, file)
  await Bun.write(path, readFileSync(path, "utf8").replace(good, bad))
}

function step(title: string): void {
  say(`\n== ${title}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
