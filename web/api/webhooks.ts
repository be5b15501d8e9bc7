import { Effect, Schema } from "effect"
import { webhookEvents } from "../../core/server/triggers/delivery-queue.ts"
import { Webhooks } from "../../core/server/triggers/webhooks.ts"
import { endpoint } from "./endpoint.ts"
import { Id, Instant, Name, page, Version } from "./fields.ts"

const draft = {
  name: Name,
  flow: Schema.NullOr(Name).annotate({ description: "Null: runs of every flow." }),
  url: Schema.String.check(Schema.isMaxLength(2000)),
  events: Schema.Array(Schema.Literals(webhookEvents)).check(Schema.isMinLength(1)),
  paused: Schema.Boolean,
}

const Shown = Schema.Struct({
  ...{ id: Id, ...draft, owner: Schema.String, version: Version, createdAt: Instant, updatedAt: Instant },
}).annotate({ identifier: "Webhook" })

const Delivery = Schema.Struct({
  ...{ id: Id, job: Id, event: Schema.String, status: Schema.Literals(["waiting", "delivered", "failed"]) },
  ...{ attempts: Schema.Int, dueAt: Instant, createdAt: Instant, endedAt: Schema.NullOr(Instant) },
  answered: Schema.NullOr(Schema.Int).annotate({ description: "HTTP status of the last answer." }),
  message: Schema.NullOr(Schema.String),
}).annotate({ identifier: "Delivery" })

const ofWebhook = Schema.Struct({ id: Id })

export const webhooks = [
  endpoint({
    ...{ method: "GET", path: "/webhooks", tag: "Webhooks", permission: "triggers.read" },
    summary: "Lists who is told of the end of runs.",
    answer: Schema.Struct({ items: Schema.Array(Shown) }),
    handle: () =>
      Effect.map(
        Webhooks.use((all) => all.list()),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{ method: "POST", path: "/webhooks", tag: "Webhooks", permission: "triggers.write" },
    summary: "Makes a webhook; the secret that signs its messages is shown this once.",
    body: Schema.Struct(draft),
    answer: Schema.Struct({ webhook: Shown, secret: Schema.String }),
    ...{ status: 201, refusals: ["missing", "invalid"] },
    handle: ({ actor, body }) => Webhooks.use((all) => all.create(actor, body)),
  }),
  endpoint({
    ...{ method: "PUT", path: "/webhooks/:id", tag: "Webhooks", permission: "triggers.write" },
    summary: "Changes a webhook.",
    ...{ params: ofWebhook, body: Schema.Struct({ ...draft, version: Version }), answer: Shown },
    refusals: ["missing", "conflict", "invalid"],
    handle: ({ actor, params, body: { version, ...body } }) =>
      Webhooks.use((all) => all.update(actor, params.id, version, body)),
  }),
  endpoint({
    ...{ method: "DELETE", path: "/webhooks/:id", tag: "Webhooks", permission: "triggers.write" },
    summary: "Removes a webhook and what it was still to be told.",
    ...{ params: ofWebhook, answer: Schema.Void, status: 204, refusals: ["missing"] },
    handle: ({ actor, params }) => Webhooks.use((all) => all.remove(actor, params.id)),
  }),
  endpoint({
    ...{ method: "GET", path: "/webhooks/:id/deliveries", tag: "Webhooks", permission: "triggers.read" },
    summary: "Lists what a webhook was told, newest first, and what it has answered.",
    ...{ params: ofWebhook, query: Schema.Struct(page), refusals: ["missing"] },
    answer: Schema.Struct({ items: Schema.Array(Delivery) }),
    handle: ({ params, query: { limit = 50, ...rest } }) =>
      Effect.map(
        Webhooks.use((all) => all.deliveries(params.id, { ...rest, limit })),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{
      method: "POST",
      path: "/webhooks/:id/deliveries/:delivery/retry",
      tag: "Webhooks",
      permission: "triggers.write",
    },
    summary: "Sends a message once more.",
    params: Schema.Struct({ id: Id, delivery: Id }),
    ...{ answer: Schema.Void, status: 204, refusals: ["missing"] },
    handle: ({ actor, params }) => Webhooks.use((all) => all.redeliver(actor, params.id, params.delivery)),
  }),
] as const
