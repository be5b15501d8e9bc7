import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Service } from "../../services/service.ts"
import { type Figure, quantile } from "./figure.ts"
import { copyOf, type Stage } from "./stage.ts"

/** The same copy through the server and by the command line, alternately. */
export async function throughServer(
  { sql, flow, server }: Stage,
  { command, service, rows }: { readonly command: readonly string[]; readonly service: Service; readonly rows: number },
): Promise<Figure> {
  await sql`CREATE TABLE big AS SELECT i::bigint AS id, md5(i::text) AS name, (i % 100000) / 100.0 AS amount, i % 2 = 0 AS flag,
    date '2020-01-01' + (i % 2000)::int AS d, now()::timestamp AS ts, i / 3.0::float8 AS score, repeat('x', (i % 40)::int) AS note
    FROM generate_series(1, ${rows}) AS i`
  await sql`CREATE TABLE big_copy (LIKE big)`
  const caller = await flow("big", "big", "big_copy")
  const [{ database } = { database: "" }] = await sql<{ database: string }[]>`SELECT current_database() AS database`
  const { host, port, user, password } = service
  const settings = { host, port, user, password, database, tls: "off" }
  const sources = join(server.home, "bench.sources.json")
  const document = join(server.home, "bench.json")
  writeFileSync(sources, JSON.stringify({ pg: { type: "postgres", settings } }), { mode: 0o600 })
  writeFileSync(document, JSON.stringify(copyOf("big", "big_copy")))
  const times = { server: [] as number[], cli: [] as number[] }
  for (let i = 0; i <= REPEATS; i++)
    for (const which of i % 2 === 0 ? (["server", "cli"] as const) : (["cli", "server"] as const)) {
      await sql`TRUNCATE big_copy`
      await sql`CHECKPOINT`
      const startedAt = performance.now()
      if (which === "server") {
        const run = await caller.done<{ status: string }>("POST /flows/big/runs?wait=120", {})
        if (run.status !== "succeeded") throw new Error(`The run has not succeeded: ${JSON.stringify(run)}`)
      } else {
        const words = [...command, "run", document, "--sources", sources]
        const child = Bun.spawn(words, {
          env: { ...process.env, HEADRACE_HOME: join(server.home, "cli") },
          stdio: ["ignore", "ignore", "ignore"],
        })
        if ((await child.exited) !== 0) throw new Error("The command line has failed")
      }
      // The first of each is not counted.
      if (i > 0) times[which].push((performance.now() - startedAt) / 1000)
    }
  const [ours, reference] = [quantile(times.server, 0.5), quantile(times.cli, 0.5)]
  const note = `${ours.toFixed(2)} s through the server, ${reference.toFixed(2)} s by the command line`
  return { name: "moving data through the server", value: ours / reference, unit: "ratio", limit: 1.05, note }
}

const REPEATS = 5
