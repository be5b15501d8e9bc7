import { Effect, Schema } from "effect"
import type { Actor } from "../../core/server/access/actor.ts"
import { Workbench } from "../../core/server/jobs/workbench.ts"
import { withoutSecrets } from "../../core/server/sources/mask-secrets.ts"
import { SourceRegistry } from "../../core/server/sources/source-registry.ts"
import { endpoint } from "./endpoint.ts"
import { Environment, Instant, Name, Version } from "./fields.ts"

const Options = Schema.Record(Schema.String, Schema.Unknown).annotate({
  description:
    "Options of the connection, as the component of the type describes them. A secret that is left out stays what it was, as long as the connection leads to the same place; an empty one is removed.",
})

const draft = {
  name: Name,
  type: Schema.String.check(Schema.isMaxLength(64)).annotate({ description: "Id of a database component." }),
  description: Schema.String.check(Schema.isMaxLength(2000)),
  prod: Options,
  dev: Schema.optionalKey(
    Options.annotate({ description: "For development; without it, both use the same connection." }),
  ),
  concurrency: Schema.NullOr(Schema.Int).annotate({
    description: "Runs that use it at the same time; null: no limit.",
  }),
}

const Draft = Schema.Struct(draft).annotate({ identifier: "DataSourceDraft" })

const Shown = Schema.Struct({
  id: Schema.String,
  ...draft,
  secrets: Schema.Struct({ prod: Schema.Array(Schema.String), dev: Schema.Array(Schema.String) }).annotate({
    description: "Names of options that hold a secret. What it is, nobody is told.",
  }),
  ...{ owner: Schema.String, version: Version, createdAt: Instant, updatedAt: Instant, updatedBy: Schema.String },
  ...{ canRead: Schema.Boolean, canWrite: Schema.Boolean },
}).annotate({ identifier: "DataSource" })

const Tested = Schema.Struct({
  server: Schema.String.annotate({ description: "What the server says of itself." }),
  durationMs: Schema.Number,
}).annotate({ identifier: "TestedConnection" })

const named = Schema.Struct({ name: Name })
const edited = Schema.Struct({ version: Version })
const inEnvironment = { environment: Schema.optionalKey(Environment) }
const Schemed = Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256)))

export const sources = [
  endpoint({
    ...{ method: "GET", path: "/sources", tag: "Data sources", permission: "sources.read" },
    summary: "Lists the data sources that you own or have a grant for; administrators see all.",
    answer: Schema.Struct({ items: Schema.Array(Shown) }),
    handle: ({ actor }) =>
      Effect.map(
        SourceRegistry.use((registry) => registry.list(actor)),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{ method: "POST", path: "/sources", tag: "Data sources", permission: "sources.write" },
    summary: "Makes a data source; whoever makes it owns it.",
    ...{ body: Draft, answer: Shown, status: 201, refusals: ["invalid", "conflict"] },
    handle: ({ actor, body, reply }) =>
      Effect.tap(
        SourceRegistry.use((registry) => registry.create(actor, body)),
        ({ name }) => Effect.sync(() => reply.headers.set("location", `/api/v1/sources/${encodeURIComponent(name)}`)),
      ),
  }),
  endpoint({
    ...{ method: "GET", path: "/sources/:name", tag: "Data sources", permission: "sources.read" },
    summary: "Shows a data source, without its secrets.",
    ...{ params: named, answer: Shown, refusals: ["missing"] },
    handle: ({ actor, params }) => SourceRegistry.use((registry) => registry.get(actor, params.name)),
  }),
  endpoint({
    ...{ method: "PUT", path: "/sources/:name", tag: "Data sources", permission: "sources.write" },
    summary: "Changes a data source. Its owner may, and administrators.",
    ...{ params: named, body: Schema.Struct({ ...draft, version: Version }), answer: Shown },
    refusals: ["invalid", "missing", "forbidden", "conflict"],
    handle: ({ actor, params, body: { version, ...entered } }) =>
      SourceRegistry.use((registry) => registry.update(actor, params.name, version, entered)),
  }),
  endpoint({
    ...{ method: "DELETE", path: "/sources/:name", tag: "Data sources", permission: "sources.write" },
    summary: "Removes a data source that no flow uses.",
    ...{ params: named, query: edited, answer: Schema.Void, status: 204 },
    refusals: ["missing", "forbidden", "conflict"],
    handle: ({ actor, params, query }) =>
      SourceRegistry.use((registry) => registry.remove(actor, params.name, query.version)),
  }),
  endpoint({
    ...{ method: "GET", path: "/sources/:name/flows", tag: "Data sources", permission: "sources.read" },
    summary: "Lists the flows that use a data source.",
    ...{ params: named, refusals: ["missing"] },
    answer: Schema.Struct({
      items: Schema.Array(Schema.Struct({ flow: Schema.String, access: Schema.Literals(["read", "write"]) })),
    }),
    handle: ({ actor, params }) =>
      Effect.map(
        SourceRegistry.use((registry) => registry.flows(actor, params.name)),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{ method: "POST", path: "/source-tests", tag: "Data sources", permission: "sources.write" },
    summary: "Connects with options that need not be saved; secrets that are left out are those of the saved ones.",
    ...{ body: Schema.Struct({ ...draft, environment: Environment }), answer: Tested },
    refusals: ["invalid", "missing", "unavailable"],
    handle: Effect.fnUntraced(function* ({ actor, body: { environment, ...entered } }) {
      const open = yield* SourceRegistry.use((registry) => registry.openDraft(actor, entered, environment))
      return yield* withoutSecrets(
        open,
        Workbench.use((workbench) => workbench.testConnection(open)),
      )
    }),
  }),
  endpoint({
    ...{ method: "POST", path: "/sources/:name/test", tag: "Data sources", permission: "sources.read" },
    summary: "Connects to a data source as it is saved.",
    ...{ params: named, query: Schema.Struct(inEnvironment), answer: Tested },
    refusals: ["invalid", "missing", "unavailable"],
    handle: Effect.fnUntraced(function* ({ actor, params, query }) {
      const open = yield* openFor(actor, params.name, query.environment)
      return yield* withoutSecrets(
        open,
        Workbench.use((workbench) => workbench.testConnection(open)),
      )
    }),
  }),
  endpoint({
    ...{ method: "GET", path: "/sources/:name/tables", tag: "Data sources", permission: "sources.read" },
    summary: "Lists the tables that a data source shows.",
    params: named,
    query: Schema.Struct({ ...inEnvironment, schema: Schemed, text: Schemed }),
    ...{ answer: Schema.Unknown, refusals: ["invalid", "missing", "unavailable"] },
    handle: Effect.fnUntraced(function* ({ actor, params, query: { environment, ...filter } }) {
      const open = yield* openFor(actor, params.name, environment)
      return yield* withoutSecrets(
        open,
        Workbench.use((workbench) => workbench.tables(open, filter)),
      )
    }),
  }),
  endpoint({
    ...{ method: "GET", path: "/sources/:name/columns", tag: "Data sources", permission: "sources.read" },
    summary: "Describes the columns of a table.",
    params: named,
    query: Schema.Struct({ ...inEnvironment, schema: Schemed, table: Schema.String.check(Schema.isMaxLength(256)) }),
    ...{ answer: Schema.Unknown, refusals: ["invalid", "missing", "unavailable"] },
    handle: Effect.fnUntraced(function* ({ actor, params, query: { environment, schema, table } }) {
      const open = yield* openFor(actor, params.name, environment)
      const place = schema === undefined ? { name: table } : { schema, name: table }
      return yield* withoutSecrets(
        open,
        Workbench.use((workbench) => workbench.columns(open, place)),
      )
    }),
  }),
] as const

/** Opens a data source for somebody who may see it: whoever may read or write needs to know its tables. */
const openFor = Effect.fnUntraced(function* (actor: Actor, name: string, environment: "prod" | "dev" = "prod") {
  const registry = yield* SourceRegistry
  const shown = yield* registry.get(actor, name)
  const [open] = yield* registry.open([shown.name], environment)
  return open!
})
