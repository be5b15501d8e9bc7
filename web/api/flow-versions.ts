import { Effect, Schema } from "effect"
import { FlowLibrary } from "../../core/server/flows/flow-library.ts"
import { endpoint } from "./endpoint.ts"
import { Version } from "./fields.ts"
import { Difference, Flow, FlowName, FlowVersion } from "./flow-shapes.ts"

const named = Schema.Struct({ name: FlowName })
const Numbered = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const ofVersion = Schema.Struct({ name: FlowName, version: Numbered })

export const flowVersions = [
  endpoint({
    ...{ method: "GET", path: "/flows/:name/versions", tag: "Flows", permission: "flows.read" },
    summary: "Lists the versions of a flow, newest first.",
    params: named,
    query: Schema.Struct({
      before: Schema.optionalKey(Numbered.annotate({ description: "The last version of the page before." })),
      limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }))),
    }),
    answer: Schema.Struct({ items: Schema.Array(FlowVersion), next: Schema.optionalKey(Numbered) }),
    refusals: ["missing"],
    handle: ({ params, query: { limit = 50, ...rest } }) =>
      Effect.map(
        FlowLibrary.use((library) => library.versions(params.name, { ...rest, limit: limit + 1 })),
        (found) => {
          const items = found.slice(0, limit)
          const last = items.at(-1)
          return { items, ...(found.length > items.length && last !== undefined ? { next: last.version } : {}) }
        },
      ),
  }),
  endpoint({
    ...{ method: "GET", path: "/flows/:name/versions/:version", tag: "Flows", permission: "flows.read" },
    summary: "Gives a flow as it was at a version.",
    ...{ params: ofVersion, answer: Flow, refusals: ["missing"] },
    handle: ({ params }) => FlowLibrary.use((library) => library.version(params.name, params.version)),
  }),
  endpoint({
    ...{ method: "GET", path: "/flows/:name/compare", tag: "Flows", permission: "flows.read" },
    summary: "Tells what lies between two versions of a flow, step by step.",
    ...{ params: named, query: Schema.Struct({ from: Numbered, to: Numbered }), answer: Difference },
    refusals: ["missing"],
    handle: ({ params, query }) => FlowLibrary.use((library) => library.compare(params.name, query.from, query.to)),
  }),
  endpoint({
    ...{ method: "POST", path: "/flows/:name/versions/:version/restore", tag: "Flows", permission: "flows.write" },
    summary: "Makes an old version the newest one.",
    ...{ params: ofVersion, body: Schema.Struct({ version: Version }), answer: Flow },
    refusals: ["missing", "invalid", "forbidden", "conflict"],
    handle: ({ actor, params, body }) =>
      FlowLibrary.use((library) => library.restore(actor, params.name, body.version, params.version)),
  }),
] as const
