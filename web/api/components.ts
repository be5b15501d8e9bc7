import { Effect, Schema } from "effect"
import { Catalogue, type KnownComponent } from "../../core/server/components/catalogue.ts"
import { componentPage } from "../../core/server/components/component-page.ts"
import { fullFlowSchema } from "../../core/server/components/flow-schema.ts"
import { refuse } from "../../core/server/request-error.ts"
import { endpoint } from "./endpoint.ts"
import { Id } from "./fields.ts"

const Kind = Schema.Literals(["input", "transform", "router", "output", "database"])

const info = {
  id: Schema.String,
  kind: Kind,
  ...{ title: Schema.String, summary: Schema.String, plugin: Schema.String, version: Schema.String },
  builtIn: Schema.Boolean.annotate({ description: "Others run in a process of their own, confined." }),
  derivedFrom: Schema.optionalKey(Schema.String.annotate({ description: "The database type that it was made from." })),
}

const Info = Schema.Struct(info).annotate({ identifier: "Component" })

const Detail = Schema.Struct({
  ...info,
  config: Schema.Unknown.annotate({ description: "JSON Schema of its options." }),
  description: Schema.optionalKey(Schema.String),
  examples: Schema.Array(Schema.Struct({ title: Schema.String, config: Schema.Unknown })),
  documentation: Schema.String.annotate({ description: "In Markdown." }),
  permissions: Schema.Unknown.annotate({ description: "What its plugin asks for." }),
  license: Schema.NullOr(Schema.String),
}).annotate({ identifier: "ComponentDetail" })

export const components = [
  endpoint({
    ...{ method: "GET", path: "/components", tag: "Components", permission: "components.read" },
    summary: "Lists what flows and data sources can be made of.",
    query: Schema.Struct({ kind: Schema.optionalKey(Kind) }),
    answer: Schema.Struct({ items: Schema.Array(Info) }),
    handle: ({ query: { kind } }) =>
      Effect.map(Catalogue, ({ all }) => ({
        items: all.filter((component) => kind === undefined || component.kind === kind).map(infoOf),
      })),
  }),
  endpoint({
    ...{ method: "GET", path: "/components/:id", tag: "Components", permission: "components.read" },
    summary: "Tells everything of a component: its options as JSON Schema, examples, documentation.",
    ...{ params: Schema.Struct({ id: Id }), answer: Detail, refusals: ["missing"] },
    handle: Effect.fnUntraced(function* ({ params: { id } }) {
      const { all, get, nearest } = yield* Catalogue
      const component = get(id)
      if (component === undefined) {
        const near = nearest(id, ["input", "transform", "router", "output", "database"])
        const hint = near === undefined ? {} : { hint: `Did you mean "${near}"?` }
        return yield* refuse("missing", `There is no component "${id}"`, hint)
      }
      const derived = all.filter(({ derivedFrom }) => derivedFrom === id).map((one) => one.id)
      const { config, description, examples, plugin } = component
      return {
        ...infoOf(component),
        ...(description === undefined ? {} : { description }),
        ...{ config, examples, permissions: plugin.permissions, license: plugin.license ?? null },
        documentation: componentPage(component, { derived, linkOf: (other) => other }),
      }
    }),
  }),
  endpoint({
    ...{ method: "GET", path: "/flow-schema", tag: "Components", permission: "components.read" },
    summary: "Gives the JSON Schema of flow documents, with the options of every component that is installed.",
    answer: Schema.Unknown,
    handle: () => Effect.map(Catalogue, fullFlowSchema),
  }),
] as const

function infoOf({ id, kind, title, summary, plugin, derivedFrom }: KnownComponent) {
  const { name, version, isBuiltIn } = plugin
  const derived = derivedFrom === undefined ? {} : { derivedFrom }
  return { ...{ id, kind, title, summary, plugin: name, version, builtIn: isBuiltIn }, ...derived }
}
