import type { ComponentBase, ComponentKind } from "../../contract/index.ts"

/** What is shown of a component: a manifest has it as well as the code. */
export interface PagedComponent extends ComponentBase {
  readonly kind: ComponentKind
}

interface PageOptions {
  /** Ids of the components that are made from a database type. */
  readonly derived: readonly string[]
  linkOf(id: string): string
}

/** The documentation of a component in Markdown, made from what it says of itself. */
export function componentPage(component: PagedComponent, { derived, linkOf }: PageOptions): string {
  const links = derived.map((id) => `[${id}](${linkOf(id)})`).join(" and ")
  const isDatabase = component.kind === "database"
  return [
    `# ${component.title}`,
    "",
    `\`${component.id}\`: ${component.summary}`,
    "",
    ...(isDatabase ? [`The settings of a data source of this type. Flows use it through ${links}.`, ""] : []),
    ...(component.description === undefined ? [] : [component.description, ""]),
    isDatabase ? "## Settings" : "## Options",
    "",
    ...optionTable(optionsOf(component.config, "", component.config.required)),
    "",
    ...groupNote(component.config),
    ...(component.examples.length === 0 ? [] : ["## Examples", ""]),
    ...component.examples.flatMap(({ title, config }) => [
      `${title}:`,
      "",
      "```json",
      snippet(component, config),
      "```",
      "",
    ]),
  ].join("\n")
}

function groupNote(schema: Schema): string[] {
  const groups = schema.oneOf as readonly { readonly required: readonly string[] }[] | undefined
  if (groups === undefined) return []
  return [`Exactly one of ${groups.map(({ required }) => `\`${required.join(" and ")}\``).join(", ")} is given.`, ""]
}

function snippet({ id, kind }: { readonly id: string; readonly kind: ComponentKind }, config: unknown): string {
  if (kind === "database") return JSON.stringify({ "my-source": { type: id, settings: config } }, null, 2)
  return JSON.stringify({ id: "my-step", use: id, config }, null, 2)
}

type Schema = Readonly<Record<string, unknown>>
export interface OptionRow {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

/** The options, those inside lists and objects after their own. */
export function optionsOf(schema: Schema, place: string, required: readonly string[] = []): OptionRow[] {
  return Object.entries((schema.properties ?? {}) as Record<string, Schema>).flatMap(([key, option]) => {
    const name = place + key
    const inner = [option, ...((option.oneOf ?? option.anyOf ?? []) as Schema[])]
    const nested = inner.flatMap((one) => {
      const items = one.items as Schema | undefined
      const own = one.properties === undefined ? [] : optionsOf(one, `${name}.`, one.required as string[])
      return [...own, ...(items === undefined ? [] : optionsOf(items, `${name}[].`, items.required as string[]))]
    })
    return [{ name, schema: option, required: required.includes(key) }, ...nested]
  })
}

export function optionTable(options: readonly OptionRow[]): string[] {
  if (options.length === 0) return ["It has none."]
  return [
    "| option | type | default | what it does |",
    "|---|---|---|---|",
    ...options.map(({ name, schema, required }) => {
      const marks = schema["x-secret"] === true ? " It is a secret: encrypted at rest, never shown." : ""
      const cells = [`\`${name}\``, typeOf(schema), defaultOf(schema, required), `${schema.description}${marks}`]
      return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`
    }),
  ]
}

function typeOf(schema: Schema): string {
  const alternatives = (schema.oneOf ?? schema.anyOf) as readonly Schema[] | undefined
  if (alternatives !== undefined) return alternatives.map(typeOf).join(" or ")
  if (Array.isArray(schema.enum)) return schema.enum.map(code).join(", ")
  if (schema.type === "array") return `list of ${typeOf((schema.items as Schema | undefined) ?? { type: "value" })}`
  const name =
    schema.format === "sql" ? "SQL" : schema["x-dataSource"] === undefined ? String(schema.type) : "data source"
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number }
  if (minimum !== undefined && maximum !== undefined) return `${name}, ${minimum} to ${maximum}`
  return minimum === undefined ? name : `${name}, at least ${minimum}`
}

function defaultOf(schema: Schema, required: boolean): string {
  if (required) return "required"
  return schema.default === undefined ? "" : code(schema.default)
}

export function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``
}
