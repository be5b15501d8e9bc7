import { and, eq, lte } from "drizzle-orm"
import { Clock, Duration, Effect, Layer } from "effect"
import { StoreDatabase } from "../../store/database.ts"
import { ServerSettings } from "../settings.ts"
import { Vault } from "../sources/vault.ts"
import { sign } from "./signature.ts"
import { SendError, WebhookSender } from "./webhook-sender.ts"
import { webhookPlace } from "./webhooks.ts"

/** Sends what webhooks are to be told, as long as it lives. */
export const delivererLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const round = yield* makeRound
    const safely = round.pipe(
      Effect.catchCause((cause) => Effect.as(Effect.logError("Cannot tell webhooks of runs", cause), 0)),
    )
    const rest = (sent: number) => (sent === 0 ? Effect.sleep(PAUSE) : Effect.void)
    yield* Effect.forkScoped(Effect.forever(Effect.flatMap(safely, rest)))
  }),
)

/**
 * Sends what is due, once; resolves to how many there were. A message is taken before it is sent: should this process die,
 * it is sent again when the lease is over, so it arrives at least once.
 */
export const makeRound = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const vault = yield* Vault
  const sender = yield* WebhookSender
  const settings = yield* ServerSettings

  const due = (now: number) =>
    database.read(({ select, tables: { deliveries, webhooks } }) =>
      select({ delivery: deliveries, webhook: webhooks })
        .from(deliveries)
        .innerJoin(webhooks, eq(webhooks.id, deliveries.webhook))
        .where(and(eq(deliveries.status, "waiting"), lte(deliveries.dueAt, now)))
        .orderBy(deliveries.dueAt)
        .limit(MOST_AT_ONCE),
    )

  const take = (id: string, dueAt: number, now: number) =>
    database.write(({ update, tables: { deliveries } }) =>
      update(deliveries)
        .set({ dueAt: now + LEASE_MS })
        .where(and(eq(deliveries.id, id), eq(deliveries.dueAt, dueAt), eq(deliveries.status, "waiting")))
        .returning({ id: deliveries.id }),
    )

  const send = Effect.fnUntraced(function* ({ delivery, webhook }: Effect.Success<ReturnType<typeof due>>[number]) {
    const now = yield* Clock.currentTimeMillis
    if ((yield* take(delivery.id, delivery.dueAt, now)).length === 0) return
    const attempts = delivery.attempts + 1
    const outcome = yield* Effect.gen(function* () {
      const all = yield* settings.all
      if (webhook.url.startsWith("http:") && !all["webhooks.allowHttp"])
        return yield* new SendError({ message: "Its address has no encryption: use https, or have it allowed" })
      const secret = yield* vault.open(webhook.secret, webhookPlace(webhook.id))
      const signature = yield* Effect.promise(() => sign(secret, delivery.body, now))
      const headers = {
        ...{ "content-type": "application/json", "user-agent": "Headrace", "x-headrace-event": delivery.event },
        ...{ "x-headrace-delivery": delivery.id, "x-headrace-signature": signature },
      }
      const message = { url: webhook.url, headers, body: delivery.body, timeoutMs: TIMEOUT_MS }
      const { status, text } = yield* sender.post({
        ...message,
        policy: { allow: all["webhooks.allow"], deny: all["webhooks.deny"] },
      })
      const isTaken = status >= 200 && status < 300
      return { isTaken, answered: status, message: isTaken ? null : `Answered ${status}: ${text}` }
    }).pipe(Effect.catch(({ message }) => Effect.succeed({ isTaken: false, answered: null, message })))
    const wait = WAITS_MS[attempts - 1]
    const endedAt = yield* Clock.currentTimeMillis
    const { isTaken, answered, message } = outcome
    const next = isTaken
      ? { status: "delivered" as const, endedAt }
      : wait === undefined
        ? { status: "failed" as const, endedAt }
        : { status: "waiting" as const, dueAt: endedAt + wait }
    yield* database.write(
      async ({ update, tables: { deliveries } }) =>
        void (await update(deliveries)
          .set({ ...next, attempts, answered, message })
          .where(eq(deliveries.id, delivery.id))),
    )
  })

  return Effect.gen(function* () {
    const waiting = yield* due(yield* Clock.currentTimeMillis)
    yield* Effect.forEach(waiting, send, { concurrency: CONCURRENCY, discard: true })
    return waiting.length
  })
})

const PAUSE = Duration.seconds(1)
const TIMEOUT_MS = 10_000
const LEASE_MS = 60_000
const MOST_AT_ONCE = 50
const CONCURRENCY = 8
const MINUTE_MS = 60_000
/** Pauses after each failed try; about a day in all. */
const WAITS_MS = [10_000, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 120 * MINUTE_MS, 360 * MINUTE_MS, 900 * MINUTE_MS]
