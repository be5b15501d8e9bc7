import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { webhookSenderLayer } from "../../../runtime/server/webhook-sender.ts"
import { sqliteDatabaseLayer } from "../../../runtime/store/sqlite-database.ts"
import { StoreDatabase } from "../../store/database.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import type { Job } from "../jobs/dispatcher.ts"
import { RateLimits } from "../rate-limits.ts"
import { ServerSettings } from "../settings.ts"
import { MasterKeys, masterKeyOf } from "../sources/master-keys.ts"
import { Vault } from "../sources/vault.ts"
import { makeRound } from "./deliverer.ts"
import { queueDeliveries } from "./delivery-queue.ts"
import { sign, signatureFault } from "./signature.ts"
import { type TriggerDraft, Triggers } from "./triggers.ts"
import { type WebhookDraft, Webhooks } from "./webhooks.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-triggers-"))
const received: { readonly headers: Headers; readonly body: string }[] = []
let status = 200
const receiver = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    received.push({ headers: request.headers, body: await request.text() })
    return new Response("so it is", { status })
  },
})
afterAll(async () => {
  await receiver.stop(true)
  rmSync(folder, { recursive: true, force: true })
})

test("triggers start one flow, keep no token, and are void once they are revoked or rotated", () =>
  world(function* () {
    const triggers = yield* Triggers
    const { trigger, token, signingSecret } = yield* triggers.create(person, "orders", draft)
    expect(signingSecret).toBeNull()
    expect(trigger).toMatchObject({ flow: "orders", signed: false, lastUsedAt: null, prefix: token.slice(0, 10) })
    const actor = yield* triggers.recognise(token, "192.0.2.1")
    expect(actor).toMatchObject({ kind: "trigger", flow: "f1", account: "u1", scopes: ["runs.start", "runs.read"] })
    expect(yield* stored).not.toContain(token)
    yield* triggers.admit(actor, { signature: null, body: "{}" })
    expect((yield* triggers.list("orders"))[0]?.lastUsedAt).toBe(NOW)
    const again = yield* triggers.rotate(person, trigger.id)
    expect(yield* Effect.flip(triggers.recognise(token, ""))).toMatchObject({ reason: "unauthenticated" })
    yield* triggers.revoke(person, trigger.id)
    expect(yield* Effect.flip(triggers.recognise(again.token, ""))).toMatchObject({ reason: "unauthenticated" })
    expect(yield* Effect.flip(triggers.rotate(person, trigger.id))).toMatchObject({ reason: "conflict" })
  }))

test("triggers that take signed requests refuse what is unsigned, altered, late, or sent again", () =>
  world(function* () {
    const triggers = yield* Triggers
    const made = yield* triggers.create(person, "orders", { ...draft, signed: true })
    const secret = made.signingSecret ?? ""
    const actor = yield* triggers.recognise(made.token, "")
    const body = '{"parameters":{"region":"EU"}}'
    const signature = yield* Effect.promise(() => sign(secret, body, NOW))
    const fault = (request: { signature: string | null; body: string }) =>
      Effect.map(Effect.flip(triggers.admit(actor, request)), ({ message }) => message)
    expect(yield* fault({ signature: null, body })).toContain("is missing")
    expect(yield* fault({ signature: "sha256=00", body })).toContain("Cannot read the header")
    expect(yield* fault({ signature, body: `${body} ` })).toContain("is not right")
    yield* triggers.admit(actor, { signature, body })
    expect(yield* fault({ signature, body })).toContain("used already")
    const old = yield* Effect.promise(() => sign(secret, body, NOW - draft.replayWindowMs - 1000))
    expect(yield* fault({ signature: old, body })).toContain("too old")
    expect(yield* stored).not.toContain(secret)
  }))

test("triggers start no more runs a minute than they may", () =>
  world(function* () {
    const triggers = yield* Triggers
    const { token } = yield* triggers.create(person, "orders", { ...draft, requestsPerMinute: 6 })
    const actor = yield* triggers.recognise(token, "")
    yield* triggers.admit(actor, { signature: null, body: "" })
    const refused = yield* Effect.flip(triggers.admit(actor, { signature: null, body: "" }))
    expect(refused).toMatchObject({ reason: "limited", retryAfterMs: 10_000 })
    yield* TestClock.adjust(10_000)
    yield* triggers.admit(actor, { signature: null, body: "" })
  }))

test("webhooks are told of what they want to hear, signed, and again later where that fails", () =>
  world(function* () {
    const webhooks = yield* Webhooks
    const round = yield* makeRound
    const { webhook, secret } = yield* webhooks.create(person, hook)
    const of = Effect.map(webhooks.deliveries(webhook.id, { limit: 10 }), ([newest]) => newest)
    yield* ended({ status: "succeeded" })
    yield* ended({ status: "failed", flow: "other" })
    expect(yield* round).toBe(0)
    status = 503
    yield* ended({ status: "failed", message: "Cannot read" })
    expect(yield* round).toBe(1)
    expect(yield* of).toMatchObject({
      status: "waiting",
      attempts: 1,
      answered: 503,
      message: "Answered 503: so it is",
    })
    expect(yield* round).toBe(0)
    status = 200
    yield* TestClock.adjust(10_000)
    expect(yield* round).toBe(1)
    expect(yield* of).toMatchObject({ status: "delivered", attempts: 2, answered: 200, message: null })
    const [first, second] = received
    expect(first?.body).toBe(second!.body)
    expect(JSON.parse(second!.body)).toMatchObject({ event: "run.failed", run: { id: "j1", message: "Cannot read" } })
    const signature = second!.headers.get("x-headrace-signature")
    const check = { secret, body: second!.body, nowMs: NOW + 10_000, windowMs: 1000 }
    expect(yield* Effect.promise(() => signatureFault(signature, check))).toBeUndefined()
    yield* webhooks.redeliver(person, webhook.id, (yield* of)!.id)
    expect(yield* round).toBe(1)
    expect(received).toHaveLength(3)
    expect(yield* stored).not.toContain(secret)
  }))

test("webhooks give up after a day, and keep why", () =>
  world(function* () {
    const webhooks = yield* Webhooks
    const round = yield* makeRound
    const { webhook } = yield* webhooks.create(person, { ...hook, url: "http://169.254.169.254/latest" })
    yield* ended({ status: "failed" })
    let tries = 0
    for (let hour = 0; hour < 48; hour++) {
      tries += yield* round
      yield* TestClock.adjust("1 hour")
    }
    const [delivery] = yield* webhooks.deliveries(webhook.id, { limit: 1 })
    expect(tries).toBe(8)
    expect(delivery).toMatchObject({ status: "failed", attempts: 8, answered: null })
    expect(delivery?.message).toContain("169.254.169.254, an address of this machine or of a private network")
  }))

test("webhooks refuse addresses that cannot be meant, and changes of an old version", () =>
  world(function* () {
    const webhooks = yield* Webhooks
    for (const url of ["nonsense", "file:///etc/passwd", "https://me:pw@example.org/"])
      expect(yield* Effect.flip(webhooks.create(person, { ...hook, url }))).toMatchObject({
        reason: "invalid",
        problems: [{ pointer: "/url" }],
      })
    const { webhook } = yield* webhooks.create(person, hook)
    yield* webhooks.update(person, webhook.id, 1, { ...hook, paused: true })
    const stale = yield* Effect.flip(webhooks.update(person, webhook.id, 1, hook))
    expect(stale).toMatchObject({ reason: "conflict", current: { version: 2, paused: true } })
    yield* ended({ status: "failed" })
    expect(yield* webhooks.deliveries(webhook.id, { limit: 1 })).toEqual([])
    yield* webhooks.remove(person, webhook.id)
    expect(yield* webhooks.list()).toEqual([])
  }))

type Services = Triggers | Webhooks | StoreDatabase | Layer.Success<typeof base>

const base = Layer.mergeAll(
  webhookSenderLayer,
  RateLimits.layer,
  ServerSettings.layerTest({ "webhooks.allow": [`127.0.0.1:${receiver.port}`], "webhooks.allowHttp": true }),
  Vault.layer.pipe(
    Layer.provide(
      Layer.effect(
        MasterKeys,
        Effect.map(
          Effect.promise(() => masterKeyOf(new Uint8Array(32))),
          (key) => MasterKeys.of({ all: Effect.succeed([key]) }),
        ),
      ),
    ),
  ),
  Layer.succeed(FlowLibrary, { get: () => Effect.succeed({ id: "f1" }) } as unknown as FlowLibrary["Service"]), // all that is asked
)

function world<Eff extends Effect.Effect<unknown, unknown, Services>>(work: () => Generator<Eff, void, never>) {
  received.length = 0
  status = 200
  const layer = Layer.mergeAll(Triggers.layer, Webhooks.layer).pipe(
    Layer.provideMerge(AuditLog.layer),
    Layer.provideMerge(base),
    Layer.provideMerge(sqliteDatabaseLayer(join(folder, `${crypto.randomUUID()}.db`))),
    Layer.provideMerge(TestClock.layer()),
  )
  const program = Effect.gen(function* () {
    yield* TestClock.setTime(NOW)
    const { write } = yield* StoreDatabase
    yield* write(async ({ insert, tables }) => void (await insert(tables.flows).values(flow)))
    yield* Effect.gen(work)
  })
  return Effect.runPromise(program.pipe(Effect.provide(layer)) as Effect.Effect<void>)
}

/** A job has ended, as the dispatcher records it. */
const ended = Effect.fnUntraced(function* (given: Partial<Job>) {
  const { write } = yield* StoreDatabase
  yield* write((queries) => queueDeliveries(queries, { ...job, ...given }, NOW))
})

/** Everything that triggers and webhooks have left in the store. */
const stored = Effect.gen(function* () {
  const { read } = yield* StoreDatabase
  const rows = yield* read(async ({ select, tables: { triggers, webhooks, auditLog, deliveries } }) => [
    await select().from(triggers),
    await select().from(webhooks),
    await select().from(auditLog),
    await select().from(deliveries),
  ])
  return JSON.stringify(rows)
})

const NOW = Date.parse("2026-11-28T12:00:00Z")
const person: Actor = { kind: "user", id: "u1", name: "ada", account: "u1", role: "developer" }
const draft: TriggerDraft = {
  name: "from the shop",
  signed: false,
  replayWindowMs: 300_000,
  requestsPerMinute: 60,
  environment: "prod",
}
const hook: WebhookDraft = {
  ...{ name: "tell us", flow: "orders", url: `http://127.0.0.1:${receiver.port}/told`, paused: false },
  events: ["run.failed"],
}
const job: Job = {
  ...{ id: "j1", flow: "f1", flowName: "orders", flowVersion: 1, environment: "prod", parameters: {}, priority: 5 },
  overrides: {},
  cause: { kind: "person", id: "u1", name: "ada" },
  ...{ bizdate: "2026-11-27", scheduledAt: "2026-11-28T00:00:00.000Z", status: "failed", isEnding: false, retry: 0 },
  ...{ requestedAt: 0, dueAt: 0, startedAt: null, endedAt: null, written: null, rejected: null, message: null },
}
const flow = {
  ...{ id: "f1", name: "orders", folder: "", description: "", document: "{}", hash: "", owner: "u1", version: 1 },
  properties: { priority: 5, timeoutHours: 0, retries: 0, retryMinutes: 5, onCrash: "resume", concurrency: 1 } as const,
  ...{ createdAt: 0, updatedAt: 0, updatedBy: "u1" },
}
