import type { ComponentBase, ConfigProperty } from "../../core/contract/index.ts"
import type { Style } from "./style.ts"
import { width } from "./text-table.ts"

/** A component for people: what it is, its options, its description, examples. */
export function optionLines(
  component: ComponentBase & { readonly kind: string },
  style: Style,
  columns: number,
): readonly string[] {
  const { id, kind, title, summary, config, description, examples } = component
  const lines = [`${style.bold(id)}  ${title} (${kind})`, summary, "", style.bold("Options")]
  for (const [name, property] of Object.entries(config.properties)) {
    const isRequired = config.required?.includes(name) === true
    const facts = [typeOf(property), isRequired ? "required" : "", defaultOf(property), secretOf(property)]
    lines.push(`  ${style.cyan(name)}  ${style.dim(facts.filter((fact) => fact !== "").join(", "))}`)
    lines.push(...wrapped(property.description, columns - 6).map((line) => `      ${line}`))
  }
  if (description !== undefined)
    lines.push("", style.bold("Description"), ...description.split("\n").map((line) => `  ${line}`))
  for (const example of examples) {
    const text = JSON.stringify(example.config, null, 2).replaceAll("\n", "\n  ")
    lines.push("", `${style.bold("Example:")} ${example.title}`, `  ${text}`)
  }
  return lines
}

function typeOf(property: ConfigProperty): string {
  const choices = property.enum as readonly unknown[] | undefined
  if (choices !== undefined) return choices.map((choice) => JSON.stringify(choice)).join(" or ")
  const alternatives = (property.oneOf ?? property.anyOf) as readonly ConfigProperty[] | undefined
  if (alternatives !== undefined) return alternatives.map(typeOf).join(" or ")
  const { minimum, maximum, items } = property as { minimum?: number; maximum?: number; items?: ConfigProperty }
  const range =
    minimum === undefined && maximum === undefined
      ? ""
      : ` ${minimum ?? "…"} to ${maximum ?? "…"}`.replace(" to …", " or more")
  if (property.format === "sql") return "SQL"
  if (property["x-dataSource"] !== undefined) return `name of a ${String(property["x-dataSource"])} data source`
  if (property.type === "array") return items === undefined ? "list" : `list of ${typeOf(items)}`
  return `${[property.type ?? "any"].flat().join(" or ")}${range}`
}

function defaultOf(property: ConfigProperty): string {
  return property.default === undefined ? "" : `default ${JSON.stringify(property.default)}`
}

function secretOf(property: ConfigProperty): string {
  return property["x-secret"] === true ? "secret" : ""
}

export function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(/\s+/)) {
    if (line !== "" && width(line) + 1 + width(word) > Math.max(20, columns)) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return line === "" ? lines : [...lines, line]
}
