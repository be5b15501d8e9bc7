import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mkdtempSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import client, { type Sql } from "postgres"
import { postgres } from "../../scripts/services/services.ts"
import { ApiClient } from "../../scripts/testing/api-client.ts"
import { serve } from "../../scripts/testing/served.ts"

test("a server starts on an empty folder, is set up once, and stops when it is told to", async () => {
  await using server = await serve()
  expect(server.setupSecret).toBeDefined()
  const ada = await ApiClient.setUp(server)
  expect((await ada.done("GET /me")).role).toBe("admin")
  await expect(ApiClient.setUp(server)).rejects.toThrow("not valid any more")
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain("headrace_runs_queued 0")
  expect((await ApiClient.bearer(server.url, "hrt_nobody").call("GET /flows")).status).toBe(401)
  expect(await server.stop()).toBe(0)
})

test("a server whose store was taken over by another ends, and says so", async () => {
  await using server = await serve()
  // What a second server does to one of another machine that has said nothing for long.
  using database = new Database(join(server.home, "state.db"))
  database.run("PRAGMA busy_timeout = 5000")
  database.run("DELETE FROM servers")
  expect(await server.ended).not.toBe(0)
  expect(server.said()).toContain("Another server has taken the store over")
})

test("a server whose store is taken away under it is not ready, takes nothing that would be lost, and goes on when it is back", async () => {
  await using server = await serve()
  const ada = await ApiClient.setUp(server)
  const flow = { name: "tiny", document: JSON.stringify({ version: 1, steps: [], hops: [] }) }
  const path = join(server.home, "state.db")
  renameSync(path, `${path}.away`)
  const refused = await ada.call("POST /flows", flow)
  expect(refused).toMatchObject({ status: 503, body: { detail: "The store is damaged, or gone" } })
  await until(async () => (await fetch(`${server.url}/readyz`)).status === 503)
  expect(await (await fetch(`${server.url}/readyz`)).text()).toBe("The store is gone\n")
  renameSync(`${path}.away`, path)
  expect((await ada.call("POST /flows", flow)).status).toBe(201)
  await until(async () => (await fetch(`${server.url}/readyz`)).ok)
  expect(await server.stop()).toBe(0)
})

test("a server that is killed in the middle of a run ends it right when it is started again", async () => {
  const home = mkdtempSync(join(tmpdir(), "headrace-killed-"))
  try {
    const service = await postgres()
    const database = await service.createDatabase("served")
    await using sql = closing(client(service.urlOf(database), { max: 2, onnotice: () => {} }))
    await sql`CREATE TABLE source AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, 400000) AS i`
    const { port, user, password } = service
    const first = await serve({ home })
    const ada = await ApiClient.setUp(first)
    const settings = { host: "127.0.0.1", port, user, password, database, tls: "off" }
    await ada.done("POST /sources", {
      name: "shop",
      type: "postgres",
      description: "",
      prod: settings,
      concurrency: null,
    })
    await ada.done("POST /flows", {
      name: "copy",
      document: JSON.stringify(copyFlow),
      properties: { onCrash: "resume" },
    })
    const { token } = await ada.done<{ token: string }>("POST /flows/copy/triggers", trigger)
    const started = await ApiClient.bearer(first.url, token).call("POST /flows/copy/runs", {})
    expect(started.status).toBe(202)
    const id = String(started.body.id)
    // Some splits are committed, and not all.
    await until(
      async () => Number((await sql`SELECT count(*) AS n FROM headrace_ledger`.catch(() => []))[0]?.n ?? 0) > 1,
    )
    await first.kill()

    const second = await serve({ home })
    try {
      expect(second.setupSecret).toBeUndefined()
      const again = await ApiClient.signIn(second.url)
      const run = await waited(again, id)
      expect(run).toMatchObject({ status: "succeeded", written: 400_000, rejected: 0 })
      const [counted] = await sql`SELECT count(*)::int AS n, count(DISTINCT id)::int AS distinct FROM target`
      expect(counted).toEqual({ n: 400_000, distinct: 400_000 })
      const { detail } = await again.done<{ detail: Detail }>(`GET /runs/${id}`)
      const read = detail.receipts.reduce((sum, receipt) => sum + receipt.read, 0)
      const written = detail.receipts.reduce((sum, receipt) => sum + receipt.outputs[0]!.written, 0)
      expect([read, written]).toEqual([400_000, 400_000])
      // Whatever it has printed and kept, the password is not in it.
      expect(`${first.said()}${second.said()}`).not.toContain(password)
      expect(JSON.stringify(await again.done("GET /sources"))).not.toContain(password)
      expect(await second.stop()).toBe(0)
    } finally {
      await second[Symbol.asyncDispose]()
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}, 120_000)

async function waited(client: ApiClient, id: string) {
  for (let tries = 0; tries < 30; tries++) {
    const run = await client.done<{ status: string }>(`GET /runs/${id}?wait=3`)
    if (!["queued", "running"].includes(run.status)) return run
  }
  throw new Error(`Run ${id} does not end: ${JSON.stringify(await client.done(`GET /runs/${id}/logs`))}`)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(5)
}

function closing(sql: Sql): Sql & AsyncDisposable {
  return Object.assign(sql, { [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) })
}

interface Detail {
  readonly receipts: readonly { readonly read: number; readonly outputs: readonly { readonly written: number }[] }[]
}

const copyFlow = {
  version: 1,
  steps: [
    {
      id: "read",
      use: "postgres-input",
      config: { dataSource: "shop", table: "source", splitColumn: "id", splits: 16 },
    },
    { id: "write", use: "postgres-output", config: { dataSource: "shop", table: "target", createTable: true } },
  ],
  hops: [{ from: "read", to: "write" }],
}

const trigger = {
  ...{ name: "from outside", signed: false, replayWindowMs: 60_000, requestsPerMinute: 60, environment: "prod" },
}
