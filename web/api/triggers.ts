import { Effect, Schema } from "effect"
import { Triggers } from "../../core/server/triggers/triggers.ts"
import { endpoint } from "./endpoint.ts"
import { Environment, Id, Instant, Name } from "./fields.ts"

const draft = {
  name: Name,
  signed: Schema.Boolean.annotate({ description: "Requests have to be signed, besides showing the token." }),
  replayWindowMs: Schema.Int.check(Schema.isBetween({ minimum: 10_000, maximum: 3_600_000 })).annotate({
    description: "How old a signed request may be.",
  }),
  requestsPerMinute: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 })),
  environment: Environment,
}

const Shown = Schema.Struct({
  ...{ id: Id, flow: Name, ...draft, prefix: Schema.String, owner: Schema.String, createdAt: Instant },
  lastUsedAt: Schema.NullOr(Instant),
  revokedAt: Schema.NullOr(Instant),
}).annotate({ identifier: "Trigger" })

const New = Schema.Struct({
  trigger: Shown,
  token: Schema.String.annotate({ description: "Shown this once only." }),
  signingSecret: Schema.NullOr(Schema.String).annotate({ description: "Shown this once only." }),
}).annotate({ identifier: "NewTrigger" })

const ofFlow = Schema.Struct({ name: Name })
const ofTrigger = Schema.Struct({ id: Id })

export const triggers = [
  endpoint({
    ...{ method: "GET", path: "/flows/:name/triggers", tag: "Triggers", permission: "triggers.read" },
    summary: "Lists the tokens that start a flow by HTTP.",
    ...{ params: ofFlow, answer: Schema.Struct({ items: Schema.Array(Shown) }), refusals: ["missing"] },
    handle: ({ params }) =>
      Effect.map(
        Triggers.use((all) => all.list(params.name)),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{ method: "POST", path: "/flows/:name/triggers", tag: "Triggers", permission: "triggers.write" },
    summary: "Makes a token that starts this flow, and nothing else.",
    ...{ params: ofFlow, body: Schema.Struct(draft), answer: New, status: 201, refusals: ["missing", "invalid"] },
    handle: ({ actor, params, body }) => Triggers.use((all) => all.create(actor, params.name, body)),
  }),
  endpoint({
    ...{ method: "POST", path: "/triggers/:id/rotate", tag: "Triggers", permission: "triggers.write" },
    summary: "Gives a trigger another token; the old one is void at once.",
    ...{ params: ofTrigger, answer: New, refusals: ["missing", "conflict"] },
    handle: ({ actor, params }) => Triggers.use((all) => all.rotate(actor, params.id)),
  }),
  endpoint({
    ...{ method: "DELETE", path: "/triggers/:id", tag: "Triggers", permission: "triggers.write" },
    summary: "Revokes a trigger: its token is void at once.",
    ...{ params: ofTrigger, answer: Schema.Void, status: 204, refusals: ["missing"] },
    handle: ({ actor, params }) => Triggers.use((all) => all.revoke(actor, params.id)),
  }),
] as const
