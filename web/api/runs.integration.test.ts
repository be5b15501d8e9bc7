import { afterAll, expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { FlowLibrary } from "../../core/server/flows/flow-library.ts"
import { RateLimits } from "../../core/server/rate-limits.ts"
import { SourceRegistry } from "../../core/server/sources/source-registry.ts"
import { Triggers } from "../../core/server/triggers/triggers.ts"
import { StoreDatabase } from "../../core/store/database.ts"
import { ServerRig } from "../../runtime/server/testdata/server-rig.ts"
import { flowOf } from "../../runtime/server/workers/testdata/workshop.ts"
import { actors, testApp } from "../testdata/frame.ts"
import { quarantine } from "./quarantine.ts"
import { runEvents } from "./run-events.ts"
import { runLogs } from "./run-logs.ts"
import { runs } from "./runs.ts"

const rig = new ServerRig()
const { app, runtime } = testApp(
  [...runs, ...runLogs, ...runEvents, ...quarantine],
  Triggers.layer.pipe(Layer.provide(RateLimits.layer), Layer.provideMerge(rig.layer())),
)
afterAll(async () => {
  await runtime.dispose()
  rig[Symbol.dispose]()
})

const services = runtime as unknown as {
  runPromise<A, E>(work: Effect.Effect<A, E, FlowLibrary | SourceRegistry | StoreDatabase>): Promise<A>
} // of the rig
await services.runPromise(
  Effect.gen(function* () {
    const database = yield* StoreDatabase
    for (const { id, name, role } of Object.values(actors))
      yield* database.write(async ({ insert, tables: { users } }) => {
        await insert(users).values({
          ...{ id, name, displayName: name, passwordHash: "x", role, disabled: false },
          ...{ version: 1, createdAt: 0, updatedAt: 0 },
        })
      })
    const sources = yield* SourceRegistry
    const library = yield* FlowLibrary
    const { settings: prod } = rig.shop.source
    yield* sources.create(actors.admin, { name: "t", type: "sqlite", description: "", concurrency: null, prod })
    yield* sources.grant(actors.admin, "t", { user: "u-operator", access: "read", expiresAt: null })
    yield* sources.grant(actors.admin, "t", { user: "u-operator", access: "write", expiresAt: null })
    yield* library.create(actors.admin, { name: "load", document: flowOf({ rows: 1000, splits: 4 }) })
    yield* library.create(actors.admin, { name: "slow", document: flowOf({ rows: 100_000_000 }) })
  }),
)

function call(path: string, { as = "operator", ...init }: RequestInit & { as?: string } = {}) {
  const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${as}`, host: "localhost" }
  return app.request(`http://localhost/api/v1${path}`, { ...init, headers })
}

const post = (path: string, body: object = {}, headers: Record<string, string> = {}, as?: string) =>
  call(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
    ...(as === undefined ? {} : { as }),
  })

/** What the tests look at of an answer. */
interface Answer {
  readonly id: string
  readonly items: readonly { readonly line: number }[]
  readonly next: number
  readonly detail: {
    readonly receipts: readonly { readonly read: number }[]
    readonly steps: readonly { readonly id: string }[]
  }
}

const json = async (response: Response | Promise<Response>) => (await (await response).json()) as Answer

test("a run is started over HTTP, waited for, listed and shown with its receipts", async () => {
  const started = await post("/flows/load/runs?wait=30s", { bizdate: "2026-07-01" }, { "idempotency-key": "one" })
  expect(started.status).toBe(200)
  const run = await json(started)
  expect(run).toMatchObject({ status: "succeeded", written: 1000, bizdate: "2026-07-01", cause: { kind: "person" } })
  expect(started.headers.get("location")).toBe(`/api/v1/runs/${run.id}`)
  const again = await post("/flows/load/runs", { bizdate: "2026-07-01" }, { "idempotency-key": "one" })
  expect(await json(again)).toMatchObject({ id: run.id })
  expect((await post("/flows/load/runs", {}, { "idempotency-key": "one" })).status).toBe(409)
  const shown = await json(call(`/runs/${run.id}`))
  expect(shown).toMatchObject({
    detail: { splits: { all: 4, committed: 4 }, attempts: 1, report: { status: "succeeded" } },
  })
  const { detail } = shown
  expect(detail.receipts.reduce((sum, { read }) => sum + read, 0)).toBe(1000)
  expect(detail.steps.map(({ id }) => id)).toEqual(["read", "write"])
  const listed = await json(call("/runs?flow=load&status=succeeded&limit=1"))
  expect(listed).toMatchObject({ items: [{ id: run.id }] })
  expect(await json(call("/runs?flow=slow"))).toMatchObject({ items: [] })
  expect(await json(call(`/runs?text=${run.id.slice(0, 13)}`))).toMatchObject({ items: [{ id: run.id }] })
})

test("a viewer sees runs and starts none, and nobody starts what they have no grant for", async () => {
  expect((await post("/flows/load/runs", {}, {}, "viewer")).status).toBe(403)
  expect((await call("/runs", { as: "viewer" })).status).toBe(200)
  expect((await post("/flows/load/runs", {}, {}, "developer")).status).toBe(403)
  expect((await post("/flows/nothing/runs")).status).toBe(404)
  expect((await post("/flows/load/runs", { parameters: { "a b": "1" } })).status).toBe(400)
  expect((await call("/runs/unknown")).status).toBe(404)
})

test("a log is read by lines, and as text", async () => {
  const run = await json(post("/flows/load/runs?wait=30s"))
  const first = await json(call(`/runs/${run.id}/logs?limit=2`))
  expect(first.items).toHaveLength(2)
  const rest = await json(call(`/runs/${run.id}/logs?after=${first.next}`))
  expect(rest.items[0]).toMatchObject({ line: first.next + 1 })
  const text = await call(`/runs/${run.id}/logs/download`)
  expect(text.headers.get("content-type")).toStartWith("text/plain")
  expect(await text.text()).toMatch(/info {2}succeeded \(1000 rows written, 0 rejected/)
})

test("events tell of a run from wherever a listener has left off, until it has ended", async () => {
  const run = await json(post("/flows/slow/runs"))
  const stream = await call(`/runs/${run.id}/events`)
  expect(stream.headers.get("content-type")).toBe("text/event-stream")
  const reader = stream.body!.getReader()
  const text = await until(reader, /event: job\.progressed/)
  expect(text).toContain("event: job.state")
  expect((await post(`/runs/${run.id}/cancel`)).status).toBe(202)
  expect(await until(reader, /event: job\.ended/)).toContain('"status":"cancelled"')
  expect((await reader.read()).done).toBe(true)
  expect((await post(`/runs/${run.id}/cancel`)).status).toBe(409)
  const late = await call(`/runs/${run.id}/events`, { headers: { "last-event-id": "2" } })
  const lines = [...(await late.text()).matchAll(/^id: (\d+)$/gm)].map(([, line]) => Number(line))
  expect(lines[0]).toBe(3)
})

test("a cancelled run is resumed, or begun anew as another one", async () => {
  const run = await json(post("/flows/slow/runs"))
  const reader = (await call(`/runs/${run.id}/events`)).body!.getReader()
  await until(reader, /event: job\.progressed/)
  await post(`/runs/${run.id}/cancel`)
  await until(reader, /event: job\.ended/)
  const resumed = await post(`/runs/${run.id}/resume`)
  expect(resumed.status).toBe(202)
  expect(await json(resumed)).toMatchObject({ id: run.id, status: "queued" })
  const again = (await call(`/runs/${run.id}/events`)).body!.getReader()
  await until(again, /event: job\.progressed/)
  expect((await post(`/runs/${run.id}/resume`)).status).toBe(409)
  await post(`/runs/${run.id}/cancel`)
  await until(again, /event: job\.ended/)
  const restarted = await json(post(`/runs/${run.id}/resume`, { restart: true }))
  expect(restarted.id).not.toBe(run.id)
  expect(restarted).toMatchObject({ cause: { kind: "retry", id: run.id } })
  const third = (await call(`/runs/${restarted.id}/events`)).body!.getReader()
  await until(third, /event: job\.progressed/)
  await post(`/runs/${restarted.id}/cancel`)
  await until(third, /event: job\.ended/)
  expect(await json(call(`/runs/${run.id}`))).toMatchObject({ detail: { report: { status: "cancelled" } } })
})

test("rejected rows are listed, downloaded, mended by a replay and given up", async () => {
  const document = {
    version: 1,
    steps: [
      { id: "read", use: "csv-input", config: { path: "in.csv", columns: [{ name: "id", type: "string" }] } },
      {
        id: "pick",
        use: "select",
        config: { change: [{ column: "id", type: "int32" }] },
      },
      { id: "write", use: "sqlite-output", config: { dataSource: "t", table: "mended", createTable: true } },
    ],
    hops: [
      { from: "read", to: "pick" },
      { from: "pick", to: "write" },
    ],
    settings: { errorLimit: 10 },
  }
  await Bun.write(`${rig.shop.folder}/in.csv`, "id\n1\nx\n3\ny\n")
  await services.runPromise(
    FlowLibrary.use((library) =>
      library.create(actors.admin, { name: "mend", document: JSON.stringify(document) }),
    ) as Effect.Effect<unknown, unknown, FlowLibrary>,
  )
  const run = await json(post("/flows/mend/runs?wait=30s"))
  expect(run).toMatchObject({ status: "succeeded", written: 2, rejected: 2 })
  const log = await (await call(`/runs/${run.id}/logs/download`)).text()
  expect(log).toContain('warn  step "pick" rejected a row: ')
  const rejected = await json(call(`/runs/${run.id}/rejected?limit=1`))
  expect(rejected).toMatchObject({ total: 2, items: [{ status: "waiting", record: { id: "x" } }] })
  const lines = (await (await call(`/runs/${run.id}/rejected/download`)).text()).trim().split("\n")
  expect(lines.map((line) => (JSON.parse(line) as { record: object }).record)).toEqual([{ id: "x" }, { id: "y" }])
  expect((await call(`/runs/${run.id}/rejected`, { as: "viewer" })).status).toBe(403)
  expect((await call(`/runs/${run.id}/rejected`, { as: "developer" })).status).toBe(200)
  const replay = await json(post(`/runs/${run.id}/replay`, { set: ["id=replace(id, 'x', '2')"] }))
  const done = await json(call(`/runs/${replay.id}?wait=30s`))
  expect(done).toMatchObject({ status: "succeeded", written: 1, rejected: 1, cause: { kind: "replay", id: run.id } })
  expect(rig.shop.query("SELECT id FROM mended ORDER BY id")).toEqual([[1], [2], [3]])
  expect(await json(post(`/runs/${run.id}/drop-rejected`))).toMatchObject({ dropped: 1 })
  expect(await json(call(`/runs/${run.id}/rejected?status=waiting`))).toMatchObject({ total: 0 })
})

async function until(reader: ReadableStreamDefaultReader<Uint8Array>, pattern: RegExp): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  for (;;) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`The events ended without ${pattern}: ${text}`)
    text += decoder.decode(value, { stream: true })
    if (pattern.test(text)) return text
  }
}
