import type { JsonSchema } from "effect"
import type { OpenApi, Operation, Parameter } from "./open-api.ts"
import { problemKinds } from "./problem.ts"

/** The document as a page that a person reads: no script, and one style sheet. */
export function openApiPage(document: OpenApi): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const tags = document.tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    return `<section><h2 id="${safe(name)}">${safe(name)}</h2>${own.map(operationHtml).join("")}</section>`
  })
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `<h3 id="schema-${safe(name)}">${safe(name)}</h3>${schemaHtml(schema)}`,
  )
  const problems = Object.entries(problemKinds).map(
    ([kind, { status, title, text }]) =>
      `<tr id="${kind}"><td><code>${kind}</code></td><td>${status}</td><td>${safe(title)}</td><td>${words(text)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${safe(document.info.title)} API</title><link rel="stylesheet" href="/api/page.css"></head><body><main>
<h1>${safe(document.info.title)} API <small>${safe(document.info.version)}</small></h1>
${document.info.description
  .split("\n\n")
  .map((text) => `<p>${words(text)}</p>`)
  .join("")}
<p>As a document for programs: <a href="/api/openapi.json">openapi.json</a></p>
<nav>${document.tags.map(({ name }) => `<a href="#${safe(name)}">${safe(name)}</a>`).join(" ")}
<a href="#problems">Problems</a> <a href="#schemas">Schemas</a></nav>
${tags.join("\n")}
<section><h2 id="problems">Problems</h2><table><tr><th>Kind</th><th>Status</th><th>Title</th><th></th></tr>${problems.join("")}</table></section>
<section><h2 id="schemas">Schemas</h2>${schemas.join("\n")}</section>
</main></body></html>`
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation
  const body = requestBody?.content["application/json"]?.schema
  const answers = Object.entries(responses).filter(([, { $ref }]) => $ref === undefined)
  const refusals = Object.entries(responses).flatMap(([status, { $ref }]) =>
    $ref === undefined ? [] : [`<a href="#${safe($ref.split("/").at(-1) ?? "")}">${status}</a>`],
  )
  return `<article id="${safe(operationId)}">
<h3><code>${method} ${safe(path)}</code></h3><p>${words(summary)} ${description === undefined ? "" : words(description)}</p>
<p>Needs <code>${safe(operation["x-permission"])}</code>.</p>
${parameters.length === 0 ? "" : `<table>${parameters.map(parameterHtml).join("")}</table>`}
${body === undefined ? "" : `<h4>Body</h4>${schemaHtml(body)}`}
${answers
  .map(([status, { content = {} }]) => {
    const [[type, { schema }] = ["", { schema: {} }]] = Object.entries(content)
    const shown =
      type === "application/json" ? schemaHtml(schema) : type === "" ? "" : `<p><code>${safe(type)}</code></p>`
    return `<h4>Answer ${status}</h4>${shown}`
  })
  .join("")}
<p>Refuses with ${refusals.join(", ")}.</p></article>`
}

function parameterHtml({ name, in: place, required, description = "", schema }: Parameter): string {
  return `<tr><td><code>${safe(name)}</code></td><td>${place}${required ? "" : ", may be left out"}</td>
<td>${typeHtml(schema)}</td><td>${words(description)}</td></tr>`
}

function schemaHtml(schema: JsonSchema.JsonSchema): string {
  if (!isObject(schema.properties)) return `<p>${typeHtml(schema)}</p>`
  const required = Array.isArray(schema.required) ? schema.required : []
  const rows = Object.entries(schema.properties).map(([name, property]) => {
    const { description } = isObject(property) ? property : {}
    return `<tr><td><code>${safe(name)}</code></td><td>${required.includes(name) ? "" : "may be left out"}</td>
<td>${typeHtml(property)}</td><td>${words(typeof description === "string" ? description : "")}</td></tr>`
  })
  return `<table>${rows.join("")}</table>`
}

/** What a value may be, in a few words. */
function typeHtml(schema: unknown): string {
  if (!isObject(schema)) return "anything"
  const { $ref, type, items, anyOf, oneOf, allOf, properties, additionalProperties } = schema
  if (typeof $ref === "string") {
    const name = safe($ref.split("/").at(-1) ?? "")
    return `<a href="#schema-${name}">${name}</a>`
  }
  if (Array.isArray(schema.enum))
    return schema.enum.map((each) => `<code>${safe(JSON.stringify(each))}</code>`).join(" or ")
  const choices = anyOf ?? oneOf
  if (Array.isArray(choices)) return choices.map(typeHtml).join(" or ")
  if (Array.isArray(allOf)) return [typeHtml({ ...schema, allOf: undefined }), ...allOf.map(limits)].join("")
  if (type === "array") return `list of ${typeHtml(items)}${limits(schema)}`
  if (isObject(properties))
    return `{ ${Object.entries(properties)
      .map(([name, property]) => `<code>${safe(name)}</code>: ${typeHtml(property)}`)
      .join(", ")} }`
  if (type === "object") return `object of ${typeHtml(additionalProperties)}`
  return typeof type === "string" ? `${safe(type)}${limits(schema)}` : "anything"
}

function limits(schema: unknown): string {
  if (!isObject(schema)) return ""
  const told = [
    ["minimum", "at least"],
    ["maximum", "at most"],
    ["minLength", "characters, at least"],
    ["maxLength", "characters, at most"],
    ["minItems", "items, at least"],
    ["maxItems", "items, at most"],
    ["pattern", "like"],
    ["format", ""],
  ] as const
  const nested = Array.isArray(schema.allOf) ? schema.allOf.map(limits).join("") : ""
  return (
    told
      .filter(([key]) => schema[key] !== undefined)
      .map(([key, text]) => `, ${text} <code>${safe(String(schema[key]))}</code>`)
      .join("") + nested
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Text with `code` in it. */
function words(text: string): string {
  return safe(text).replace(/`([^`]+)`/g, "<code>$1</code>")
}

function safe(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

export const openApiStyle = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1rem }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere }
nav a { display: inline-block; margin-right: 0.75rem }
article { border-top: 1px solid #8886; padding: 0.5rem 0 }
h3 { margin: 0.5rem 0 } h4 { margin: 0.5rem 0 0.25rem }
table { border-collapse: collapse; display: block; overflow-x: auto }
td, th { padding: 0.2rem 0.75rem 0.2rem 0; text-align: left; vertical-align: top }
small { font-weight: normal; opacity: 0.7 }
:target { background: #fd03 }
`
