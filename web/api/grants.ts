import { Effect, Schema } from "effect"
import { SourceRegistry } from "../../core/server/sources/source-registry.ts"
import { endpoint } from "./endpoint.ts"
import { Instant, Name } from "./fields.ts"

const Access = Schema.Literals(["read", "write"])
const User = Schema.String.check(Schema.isMaxLength(256)).annotate({ description: "Id or name of the user." })

const Shown = Schema.Struct({
  user: Schema.String.annotate({ description: "Id of the user." }),
  name: Schema.String.annotate({ description: "Name of the user." }),
  access: Access,
  grantedBy: Schema.String.annotate({ description: "Id of the user who has granted it." }),
  createdAt: Instant,
  expiresAt: Schema.NullOr(Instant),
}).annotate({ identifier: "Grant" })

const named = Schema.Struct({ name: Name })

export const grants = [
  endpoint({
    ...{ method: "GET", path: "/sources/:name/grants", tag: "Data sources", permission: "sources.write" },
    summary: "Lists who may use a data source besides its owner and administrators.",
    ...{ params: named, answer: Schema.Struct({ items: Schema.Array(Shown) }), refusals: ["missing", "forbidden"] },
    handle: ({ actor, params }) =>
      Effect.map(
        SourceRegistry.use((registry) => registry.grants(actor, params.name)),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{ method: "PUT", path: "/sources/:name/grants", tag: "Data sources", permission: "sources.write" },
    summary: "Lets a user read from a data source, or write to it; again, it sets another end.",
    params: named,
    body: Schema.Struct({ user: User, access: Access, expiresAt: Schema.NullOr(Instant) }),
    ...{ answer: Schema.Void, status: 204, refusals: ["missing", "forbidden", "invalid"] },
    handle: ({ actor, params, body }) => SourceRegistry.use((registry) => registry.grant(actor, params.name, body)),
  }),
  endpoint({
    ...{ method: "DELETE", path: "/sources/:name/grants", tag: "Data sources", permission: "sources.write" },
    summary: "Takes a grant back.",
    ...{ params: named, query: Schema.Struct({ user: User, access: Access }), answer: Schema.Void, status: 204 },
    refusals: ["missing", "forbidden"],
    handle: ({ actor, params, query: { user, access } }) =>
      SourceRegistry.use((registry) => registry.revoke(actor, params.name, user, access)),
  }),
] as const
