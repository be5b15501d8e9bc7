import { JsonSchema, Schema } from "effect"
import type { AnyEndpoint, Shape } from "../api/endpoint.ts"
import { MIB } from "./body.ts"
import { type ProblemKind, problemKinds } from "./problem.ts"

type Json = Readonly<Record<string, unknown>>

/** A document of OpenAPI 3.1, as far as the page looks into it. */
export interface OpenApi {
  readonly openapi: "3.1.1"
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema.JsonSchema>>
    readonly responses: Readonly<Record<string, { readonly description: string }>>
    readonly securitySchemes: Json
  }
}

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly "x-permission": string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: Content; readonly $ref?: string }>
  >
  readonly security: readonly Json[]
}

export interface Parameter {
  readonly name: string
  readonly in: "path" | "query"
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema.JsonSchema
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema.JsonSchema }>>

/** Describes endpoints by nothing but their declarations. */
export function openApiOf(endpoints: readonly AnyEndpoint[], version: string): OpenApi {
  const components: Record<string, JsonSchema.JsonSchema> = {}
  const paths: Record<string, Record<string, Operation>> = {}
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, "{$1}")
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint, components) }
  }
  return {
    openapi: "3.1.1",
    info: { title: "Headrace", version, description: INTRODUCTION },
    servers: [{ url: "/api/v1" }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { ...components, Problem: problemSchema },
      responses: Object.fromEntries(
        Object.entries(problemKinds).map(([kind, { title, text }]) => [kind, problemAnswer(kind, `${title}. ${text}`)]),
      ),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token, `hrt_…`, or a trigger's, `hrk_…`." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "headrace",
          description: "Of whoever has signed in; over HTTPS its name is `__Host-headrace`.",
        },
        csrf: {
          type: "apiKey",
          in: "header",
          name: "x-csrf-token",
          description: "What `GET /me` tells as `csrf`; with a session, everything but GET needs it.",
        },
      },
    },
  }
}

function operationOf(endpoint: AnyEndpoint, components: Record<string, JsonSchema.JsonSchema>): Operation {
  const { method, path, tag, summary, description, permission, params, query, body } = endpoint
  const parameters = [
    ...(params === undefined ? [] : parametersOf(params, "path", components)),
    ...(query === undefined ? [] : parametersOf(query, "query", components)),
  ]
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[/:.]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    "x-permission": permission,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, components) } } } }),
    responses: {
      ...successOf(endpoint, components),
      ...Object.fromEntries(
        refusalsOf(endpoint).map((kind) => [problemKinds[kind].status, { $ref: `#/components/responses/${kind}` }]),
      ),
    },
    security: securityOf(endpoint),
  }
}

function successOf(endpoint: AnyEndpoint, components: Record<string, JsonSchema.JsonSchema>): Operation["responses"] {
  if ("respond" in endpoint)
    return { 200: { description: "As asked for.", content: { [endpoint.produces]: { schema: { type: "string" } } } } }
  if (endpoint.status === 204) return { 204: { description: "Done." } }
  const content = { "application/json": { schema: schemaOf(endpoint.answer, components) } }
  return { [endpoint.status ?? 200]: { description: "As asked for.", content } }
}

/** What the endpoint says, and what the frame refuses by itself. */
function refusalsOf({ method, params, query, body, permission, refusals = [] }: AnyEndpoint): readonly ProblemKind[] {
  const isRead = method === "GET"
  const mayBe: readonly (readonly [ProblemKind, boolean])[] = [
    ["invalid", params !== undefined || query !== undefined || body !== undefined],
    ["unauthenticated", permission !== "anybody"],
    ["forbidden", permission !== "anybody" || !isRead],
    ["too-large", body !== undefined],
    ["media-type", body !== undefined],
    ["host", true],
    ["limited", true],
    ["fault", true],
    ["unavailable", true],
    ["full", !isRead],
  ]
  const kinds = new Set([...refusals, ...mayBe.filter(([, is]) => is).map(([kind]) => kind)])
  return (Object.keys(problemKinds) as ProblemKind[]).filter((kind) => kinds.has(kind)) // the keys of a constant
}

function securityOf({ method, permission }: AnyEndpoint): readonly Json[] {
  if (permission === "anybody") return [{}]
  const session = method === "GET" ? { session: [] } : { session: [], csrf: [] }
  return permission === "in-person" ? [session] : [{ token: [] }, session]
}

function parametersOf(
  shape: Shape,
  place: "path" | "query",
  components: Record<string, JsonSchema.JsonSchema>,
): readonly Parameter[] {
  const schema = schemaOf(shape, components)
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema.JsonSchema>> // of an object
  const required = (schema.required ?? []) as readonly string[] // of an object
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(typeof description === "string" ? { description } : {}),
    schema: rest,
  }))
}

/** Schemas with an identifier become components, which all that use them share. */
function schemaOf(shape: Shape, components: Record<string, JsonSchema.JsonSchema>): JsonSchema.JsonSchema {
  const { schema, definitions } = Schema.toJsonSchemaDocument(shape)
  const rewritten = JsonSchema.toMultiDocumentOpenApi3_1({ dialect: "draft-2020-12", schemas: [schema], definitions })
  for (const [name, definition] of Object.entries(rewritten.definitions)) {
    const plain = openObjects(definition)
    if (components[name] !== undefined && JSON.stringify(components[name]) !== JSON.stringify(plain))
      throw new Error(`Two schemas of the API go by the identifier "${name}"`)
    components[name] = plain
  }
  return openObjects(rewritten.schemas[0])
}

/** That there may be more is what holds anyway where nothing is said. */
function openObjects<T>(schema: T): T {
  return JSON.parse(
    JSON.stringify(schema, (key, value) => (key === "additionalProperties" && value === true ? undefined : value)),
  ) as T // the same, less what says nothing
}

function problemAnswer(kind: string, description: string) {
  const schema = { $ref: "#/components/schemas/Problem" }
  const headers = kind === "limited" ? { headers: { "Retry-After": { schema: { type: "integer" } } } } : {}
  return { description, ...headers, content: { "application/problem+json": { schema } } }
}

const problemSchema = {
  type: "object",
  description: "A refusal, as RFC 9457 has it.",
  required: ["type", "title", "status", "detail", "instance"],
  properties: {
    type: { type: "string", format: "uri-reference", description: "The kind; it leads to what is said of it." },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What was wrong with this request." },
    instance: { type: "string", format: "uri-reference" },
    hint: { type: "string", description: "What would help." },
    problems: {
      type: "array",
      description: "Everything that is wrong, with its place in the body or in the flow.",
      items: {
        type: "object",
        required: ["message"],
        properties: {
          pointer: { type: "string", description: "JSON pointer." },
          step: { type: "string" },
          message: { type: "string" },
          hint: { type: "string" },
        },
      },
    },
    current: { description: "What there is now, where somebody else was faster." },
    retryAfter: { type: "integer", description: "Seconds to wait." },
  },
}

const INTRODUCTION = `Everything that the pages of Headrace do goes through this API.

Bodies and answers are JSON in UTF-8; a body has at most ${MIB} bytes where nothing else is said. Fields that are not
known are refused. Times are milliseconds since 1970. Lists come in pages: send the \`next\` of one as \`after\` for the
next. What is changed is changed with the \`version\` that was edited; where somebody else was faster the answer is 409,
with what there is now.`
