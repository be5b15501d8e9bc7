import { and, asc, desc, eq, lt } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { makeId, makeSecret } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { Vault } from "../sources/vault.ts"
import type { WebhookEvent } from "./delivery-queue.ts"

export interface WebhookDraft {
  readonly name: string
  /** Name of the flow; null: every flow. */
  readonly flow: string | null
  readonly url: string
  readonly events: readonly WebhookEvent[]
  readonly paused: boolean
}

export interface ShownWebhook extends WebhookDraft {
  readonly id: string
  readonly owner: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

export interface ShownDelivery {
  readonly id: string
  readonly job: string
  readonly event: string
  readonly status: "waiting" | "delivered" | "failed"
  readonly attempts: number
  readonly dueAt: number
  readonly createdAt: number
  readonly endedAt: number | null
  readonly answered: number | null
  readonly message: string | null
}

type Failure = RequestError | StoreError

/** Whom the server tells of the end of runs. */
export class Webhooks extends Context.Service<
  Webhooks,
  {
    list(): Effect.Effect<readonly ShownWebhook[], Failure>
    /** The secret that signs its messages is shown this once. */
    create(actor: Actor, draft: WebhookDraft): Effect.Effect<{ webhook: ShownWebhook; secret: string }, Failure>
    update(actor: Actor, id: string, version: number, draft: WebhookDraft): Effect.Effect<ShownWebhook, Failure>
    remove(actor: Actor, id: string): Effect.Effect<void, Failure>
    /** Newest first, those before `after` in time. */
    deliveries(id: string, page: { after?: string; limit: number }): Effect.Effect<readonly ShownDelivery[], Failure>
    /** Sends once more, at once. */
    redeliver(actor: Actor, id: string, delivery: string): Effect.Effect<void, Failure>
    reseal(): Effect.Effect<number, Failure>
  }
>()("core/server/triggers/Webhooks") {
  static readonly layer = Layer.effect(
    Webhooks,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const library = yield* FlowLibrary
      const vault = yield* Vault
      const audit = yield* AuditLog

      const get = Effect.fnUntraced(function* (id: string) {
        const [row] = yield* database.read((queries) => selected(queries, id))
        if (row === undefined) return yield* refuse("missing", `There is no webhook "${id}"`)
        return shown(row)
      })

      const recorded = (actor: Actor, action: string, { id, name, url, flow }: ShownWebhook) =>
        audit.record(actor, {
          action,
          subject: { kind: "webhook", id, name },
          detail: { url: withoutQuery(url), flow },
        })

      const columnsOf = Effect.fnUntraced(function* ({ name, flow, url, events, paused }: WebhookDraft) {
        const checked = yield* checkedUrl(url)
        return { name, url: checked, events, paused, flow: flow === null ? null : (yield* library.get(flow)).id }
      })

      const list = Effect.fnUntraced(function* () {
        return (yield* database.read((queries) => selected(queries))).map(shown)
      })

      const create = Effect.fnUntraced(function* (actor: Actor, draft: WebhookDraft) {
        const columns = yield* columnsOf(draft)
        const now = yield* Clock.currentTimeMillis
        const id = makeId(now)
        const secret = makeSecret("hrw")
        const sealed = yield* vault.seal(secret, webhookPlace(id))
        const row = { ...columns, id, secret: sealed, owner: actor.account, version: 1, createdAt: now, updatedAt: now }
        yield* database.write(async ({ insert, tables }) => void (await insert(tables.webhooks).values(row)))
        const webhook = yield* get(id)
        yield* recorded(actor, "webhook.created", webhook)
        return { webhook, secret }
      })

      const update = Effect.fnUntraced(function* (actor: Actor, id: string, version: number, draft: WebhookDraft) {
        const columns = yield* columnsOf(draft)
        const updatedAt = yield* Clock.currentTimeMillis
        const changed = yield* database.write(({ update, tables: { webhooks } }) =>
          update(webhooks)
            .set({ ...columns, version: version + 1, updatedAt })
            .where(and(eq(webhooks.id, id), eq(webhooks.version, version)))
            .returning({ id: webhooks.id }),
        )
        const current = yield* get(id)
        if (changed.length === 0)
          return yield* refuse("conflict", `Webhook "${current.name}" was changed by somebody else`, { current })
        yield* recorded(actor, "webhook.changed", current)
        return current
      })

      const remove = Effect.fnUntraced(function* (actor: Actor, id: string) {
        const before = yield* get(id)
        yield* database.write(
          async ({ delete: remove, tables: { webhooks } }) => void (await remove(webhooks).where(eq(webhooks.id, id))),
        )
        yield* recorded(actor, "webhook.removed", before)
      })

      const deliveries = Effect.fnUntraced(function* (id: string, { after, limit }: { after?: string; limit: number }) {
        yield* get(id)
        return yield* database.read(({ select, tables: { deliveries } }) =>
          select(shownColumns(deliveries))
            .from(deliveries)
            .where(and(eq(deliveries.webhook, id), after === undefined ? undefined : lt(deliveries.id, after)))
            .orderBy(desc(deliveries.id))
            .limit(limit),
        )
      })

      const redeliver = Effect.fnUntraced(function* (actor: Actor, id: string, delivery: string) {
        const webhook = yield* get(id)
        const dueAt = yield* Clock.currentTimeMillis
        const again = yield* database.write(({ update, tables: { deliveries } }) =>
          update(deliveries)
            .set({ status: "waiting", attempts: 0, dueAt, endedAt: null, message: null })
            .where(and(eq(deliveries.id, delivery), eq(deliveries.webhook, id)))
            .returning({ id: deliveries.id }),
        )
        if (again.length === 0) return yield* refuse("missing", `There is no delivery "${delivery}"`)
        yield* recorded(actor, "webhook.redelivered", webhook)
      })

      const reseal = Effect.fnUntraced(function* () {
        const rows = yield* database.read(({ select, tables: { webhooks } }) => select().from(webhooks))
        const old = rows.filter(({ secret }) => vault.isOld(secret))
        for (const { id, secret: before } of old) {
          const secret = yield* vault.seal(yield* vault.open(before, webhookPlace(id)), webhookPlace(id))
          yield* database.write(
            async ({ update, tables: { webhooks } }) =>
              void (await update(webhooks)
                .set({ secret })
                .where(and(eq(webhooks.id, id), eq(webhooks.secret, before)))),
          )
        }
        return old.length
      })

      return Webhooks.of({ list, create, update, remove, deliveries, redeliver, reseal })
    }),
  )
}

/** To what a webhook's secret is bound. */
export function webhookPlace(id: string): string {
  return `webhook ${id}`
}

function selected({ select, tables: { webhooks, flows } }: Queries, id?: string) {
  return select({ webhook: webhooks, flow: flows.name })
    .from(webhooks)
    .leftJoin(flows, eq(flows.id, webhooks.flow))
    .where(id === undefined ? undefined : eq(webhooks.id, id))
    .orderBy(asc(webhooks.name), asc(webhooks.id))
}

function shown({ webhook, flow }: Awaited<ReturnType<typeof selected>>[number]): ShownWebhook {
  const { secret: _, events, ...rest } = webhook
  return { ...rest, events: events as readonly WebhookEvent[], flow } // as they were checked
}

function shownColumns(deliveries: Queries["tables"]["deliveries"]) {
  const { id, job, event, status, attempts, dueAt, createdAt, endedAt, answered, message } = deliveries
  return { id, job, event, status, attempts, dueAt, createdAt, endedAt, answered, message }
}

const checkedUrl = Effect.fnUntraced(function* (text: string) {
  const wrong = (message: string, hint: string) =>
    refuse("invalid", message, { hint, problems: [{ pointer: "/url", message, hint }] })
  const url = URL.parse(text)
  if (url === null) return yield* wrong(`"${text}" is no address`, "Write it as https://host/path")
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return yield* wrong(`A webhook cannot use "${url.protocol}"`, "Use https")
  if (url.username !== "" || url.password !== "")
    return yield* wrong("The address holds a name or a password", "Leave them out: messages are signed instead")
  return url.href
})

/** What follows the question mark may be a secret. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, "")
}
