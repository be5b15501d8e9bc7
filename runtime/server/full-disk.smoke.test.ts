import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SQL } from "bun"
import { SmallDisk } from "../../scripts/chaos/full-disk.ts"
import { postgres } from "../../scripts/services/services.ts"
import { ApiClient } from "../../scripts/testing/api-client.ts"
import { serve } from "../../scripts/testing/served.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-full-"))
// The disk is gone from it by then.
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** For a run that is sure to last until the disk is full. */
const ROWS = 4_000_000

test.if(SmallDisk.isPossible)(
  "a server whose disk is full says so and reads on; with room again it goes on, and nothing is lost or there twice",
  async () => {
    using disk = SmallDisk.mount(join(folder, "disk"), 24)
    const service = await postgres()
    const database = await service.createDatabase("full")
    await using sql = new SQL(service.urlOf(database), { max: 1 })
    await using server = await serve({ home: disk.path, environment: { HEADRACE_STOP_SECONDS: "0" } })
    const ada = await ApiClient.setUp(server)
    const { host, port, user, password } = service
    const prod = { host, port, user, password, database, tls: "off" }
    await ada.done("POST /sources", { name: "shop", type: "postgres", description: "", concurrency: null, prod })
    await ada.done("POST /flows", { name: "copy", document: JSON.stringify(copyFlow) })
    await ada.done("POST /flows", { name: "tiny", document: JSON.stringify(tinyFlow) })
    const { token } = await ada.done<{ token: string }>("POST /flows/tiny/triggers", trigger)
    const billing = ApiClient.bearer(server.url, token)
    const { id } = await ada.done<{ id: string }>("POST /flows/copy/runs", {})
    await until(async () => (await runOf(ada, id)).detail.receipts.length > 1)

    disk.fill()
    const key = { "idempotency-key": "the same" }
    for (const refused of [
      await ada.call("PUT /flows/tiny", { version: 1, description: "not kept" }),
      await ada.call("POST /flows", { name: "other", document: JSON.stringify({ ...tinyFlow, description: LONG }) }),
      await ada.call("POST /flows/tiny/runs", {}),
      await billing.call("POST /flows/tiny/runs?wait=5s", {}, key),
      await ada.call("PATCH /settings", { "queue.mostQueued": 77 }),
    ]) {
      expect(refused.status).toBe(507)
      expect(refused.headers.get("content-type")).toBe("application/problem+json")
      expect(refused.body).toMatchObject({ type: "/api#full", hint: expect.stringContaining("Nothing was changed") })
      expect(JSON.stringify(refused.body)).not.toContain(disk.path)
    }
    await until(async () => (await fetch(`${server.url}/readyz`)).status === 503)
    expect(await (await fetch(`${server.url}/readyz`)).text()).toBe("The disk of the store is full\n")
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    expect((await ada.done<{ items: unknown[] }>("GET /flows")).items).toHaveLength(2)
    expect(await ada.done("GET /flows/tiny")).toMatchObject({ version: 1, description: "" })

    disk.free()
    await until(async () => (await fetch(`${server.url}/readyz`)).ok)
    await ada.done("PUT /flows/tiny", { version: 1, description: "kept" })
    // What was refused was not done in secret: the same key makes one run, now.
    const again = await billing.call("POST /flows/tiny/runs?wait=30s", {}, key)
    expect(again).toMatchObject({ status: 200, body: { status: "succeeded", written: 100 } })
    const { items } = await ada.done<{ items: unknown[] }>("GET /runs?flow=tiny")
    expect(items).toHaveLength(1)

    const failed = await ended(ada, id)
    expect(failed).toMatchObject({ status: "failed", message: expect.stringContaining("the disk is full") })
    await ada.done(`POST /runs/${id}/resume`, {})
    const { status, written, detail, message } = await ended(ada, id)
    expect({ status, written, message }).toEqual({ status: "succeeded", written: ROWS, message: null })
    for (const { read, outputs } of detail.receipts)
      expect(outputs.map(({ written, rejected, filtered }) => written + rejected + filtered)).toEqual([read])
    expect(detail.receipts.reduce((sum, { read }) => sum + read, 0)).toBe(ROWS)
    const [counted] = await sql`SELECT count(*)::int AS n, count(DISTINCT id)::int AS distinct FROM target`
    expect(counted).toEqual({ n: ROWS, distinct: ROWS })
    expect(await server.stop()).toBe(0)
  },
  240_000,
)

interface Run {
  readonly status: string
  readonly written: number | null
  readonly message: string | null
  readonly detail: { readonly receipts: readonly Receipt[] }
}

interface Receipt {
  readonly read: number
  readonly outputs: readonly { readonly written: number; readonly rejected: number; readonly filtered: number }[]
}

async function runOf(client: ApiClient, id: string): Promise<Run> {
  const run = await client.done<Run & { detail: Run["detail"] | null }>(`GET /runs/${id}`)
  return { ...run, detail: run.detail ?? { receipts: [] } }
}

async function ended(client: ApiClient, id: string): Promise<Run> {
  let run = await runOf(client, id)
  while (["queued", "running"].includes(run.status)) {
    await Bun.sleep(50)
    run = await runOf(client, id)
  }
  return run
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(20)
}

const columns = [{ name: "id", type: "int64", sequence: true }]
const copyFlow = {
  version: 1,
  steps: [
    { id: "make", use: "rows-input", config: { rows: ROWS, splits: 80, columns } },
    { id: "write", use: "postgres-output", config: { dataSource: "shop", table: "target", createTable: true } },
  ],
  hops: [{ from: "make", to: "write" }],
}
const tinyFlow = {
  version: 1,
  steps: [
    { id: "make", use: "rows-input", config: { rows: 100, columns } },
    { id: "count", use: "discard-output" },
  ],
  hops: [{ from: "make", to: "count" }],
}
const trigger = { name: "billing", signed: false, replayWindowMs: 60_000, requestsPerMinute: 60, environment: "prod" }
/** More than the store's file has to spare. */
const LONG = "long ".repeat(10_000)
