import { Effect, Schema } from "effect"
import { FlowLibrary, type SavedFlow } from "../../core/server/flows/flow-library.ts"
import { refuse } from "../../core/server/request-error.ts"
import { endpoint, rawEndpoint } from "./endpoint.ts"
import { page, Version } from "./fields.ts"
import { DOCUMENT_BYTES, Document, Flow, FlowName, Folder, ListedFlow, Saved, SomeProperties } from "./flow-shapes.ts"

const named = Schema.Struct({ name: FlowName })
const beside = {
  folder: Schema.optionalKey(Folder),
  description: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2000))),
  properties: Schema.optionalKey(SomeProperties),
  remark: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256))),
}
const FileUse = Schema.Struct({
  ...{ step: Schema.String, pointer: Schema.String, path: Schema.String, access: Schema.Literals(["read", "write"]) },
})

export const flows = [
  endpoint({
    ...{ method: "GET", path: "/flows", tag: "Flows", permission: "flows.read" },
    summary: "Lists flows without their documents, oldest first.",
    query: Schema.Struct({
      ...page,
      text: Schema.optionalKey(Schema.String.annotate({ description: "Part of the name or description." })),
      folder: Schema.optionalKey(Folder.annotate({ description: "With the folders in it." })),
    }),
    answer: Schema.Struct({ items: Schema.Array(ListedFlow), next: Schema.optionalKey(Schema.String) }),
    handle: ({ query: { limit = 50, ...filter } }) => FlowLibrary.use((library) => library.list({ ...filter, limit })),
  }),
  endpoint({
    ...{ method: "POST", path: "/flows", tag: "Flows", permission: "flows.write", mostBytes: DOCUMENT_BYTES },
    summary: "Makes a flow. Its document may be unfinished, but not unreadable.",
    body: Schema.Struct({ name: FlowName, ...beside, document: Document }),
    ...{ answer: Saved, status: 201, refusals: ["invalid", "forbidden", "conflict", "too-large"] },
    handle: ({ actor, body, reply }) =>
      Effect.flatMap(
        FlowLibrary.use((library) => library.create(actor, body)),
        (flow) => {
          reply.headers.set("location", `/api/v1/flows/${encodeURIComponent(flow.name)}`)
          return withFaults(flow)
        },
      ),
  }),
  endpoint({
    ...{ method: "GET", path: "/flows/:name", tag: "Flows", permission: "flows.read" },
    summary: "Gives a flow with its document.",
    ...{ params: named, answer: Flow, refusals: ["missing"] },
    handle: ({ params }) => FlowLibrary.use((library) => library.get(params.name)),
  }),
  endpoint({
    ...{ method: "PUT", path: "/flows/:name", tag: "Flows", permission: "flows.write", mostBytes: DOCUMENT_BYTES },
    summary: "Saves a flow as a new version; what is left out stays. Another name renames it.",
    params: named,
    body: Schema.Struct({
      ...{ version: Version, name: Schema.optionalKey(FlowName), ...beside },
      document: Schema.optionalKey(Document),
    }),
    ...{ answer: Saved, refusals: ["invalid", "missing", "forbidden", "conflict", "too-large"] },
    handle: Effect.fnUntraced(function* ({ actor, params, body: { version, ...draft } }) {
      const library = yield* FlowLibrary
      const { name, document } = yield* library.get(params.name)
      return yield* withFaults(yield* library.update(actor, name, version, { name, document, ...draft }))
    }),
  }),
  endpoint({
    ...{ method: "DELETE", path: "/flows/:name", tag: "Flows", permission: "flows.write" },
    summary: "Removes a flow with its versions, schedules and triggers; its runs stay.",
    ...{ params: named, query: Schema.Struct({ version: Version }), answer: Schema.Void, status: 204 },
    refusals: ["missing", "conflict"],
    handle: ({ actor, params, query }) =>
      FlowLibrary.use((library) => library.remove(actor, params.name, query.version)),
  }),
  rawEndpoint({
    ...{ method: "GET", path: "/flows/:name/document", tag: "Flows", permission: "flows.read" },
    summary: "Gives the document to the letter; the header ETag tells its version.",
    ...{ params: named, produces: "application/json", refusals: ["missing"] },
    respond: ({ params }) =>
      Effect.map(
        FlowLibrary.use((library) => library.get(params.name)),
        ({ document, version }) =>
          new Response(document, { headers: { "content-type": "application/json", etag: `"${version}"` } }),
      ),
  }),
  endpoint({
    ...{ method: "PUT", path: "/flows/:name/document", tag: "Flows", permission: "flows.write" },
    summary: "Saves a document to the letter, as it stands in a file.",
    description:
      'With the header `If-Match: "3"` it becomes the version after 3, if 3 is still the newest; with `If-None-Match: *` it becomes a new flow.',
    params: named,
    query: Schema.Struct({ folder: Schema.optionalKey(Folder), remark: beside.remark }),
    ...{ body: Schema.Unknown, mostBytes: DOCUMENT_BYTES, answer: Saved },
    refusals: ["invalid", "missing", "forbidden", "conflict", "too-large"],
    handle: Effect.fnUntraced(function* ({ actor, params: { name }, query, bytes, request, reply }) {
      const library = yield* FlowLibrary
      // The frame has just read it as JSON in UTF-8.
      const document = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
      const draft = { name, document, ...query }
      if (request.headers.get("if-none-match")?.trim() === "*") {
        reply.status = 201
        return yield* withFaults(yield* library.create(actor, draft))
      }
      const [, version] = /^"(\d{1,9})"$/.exec(request.headers.get("if-match")?.trim() ?? "") ?? []
      if (version === undefined)
        return yield* refuse("invalid", "The request says neither which version it follows nor that the flow is new", {
          hint: 'Send If-Match: "<version>", or If-None-Match: *',
        })
      return yield* withFaults(yield* library.update(actor, name, Number(version), draft))
    }),
  }),
  endpoint({
    ...{ method: "GET", path: "/flows/:name/uses", tag: "Flows", permission: "flows.read" },
    summary: "Tells which data sources and files a flow reads and writes.",
    ...{ params: named, refusals: ["missing", "invalid"] },
    answer: Schema.Struct({
      sources: Schema.Array(Schema.Struct({ name: Schema.String, access: Schema.Literals(["read", "write"]) })),
      files: Schema.Array(FileUse),
    }),
    handle: Effect.fnUntraced(function* ({ params }) {
      const library = yield* FlowLibrary
      const { document } = yield* library.get(params.name)
      return { sources: yield* library.uses(document), files: yield* library.files(document) }
    }),
  }),
] as const

const withFaults = Effect.fnUntraced(function* (flow: SavedFlow) {
  return { ...flow, faults: yield* FlowLibrary.use((library) => library.faults(flow.document)) }
})
