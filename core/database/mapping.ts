import { fidelity } from "../batch/conversion.ts"
import type { Column, Columns, Issue, TableColumn } from "../contract/index.ts"
import { closestName } from "../flow/closest-name.ts"
import type { DatabaseOutputOptions } from "./options.ts"

/** An incoming column and the column of the table that it goes to. */
export interface MappedColumn {
  readonly from: Column
  readonly to: TableColumn
}

export interface Mapping {
  readonly pairs: readonly MappedColumn[]
  readonly issues: readonly Issue[]
  readonly notes: readonly string[]
}

/** Decides which column goes where, and what that does to values. */
export function mapColumns(
  input: Columns,
  target: readonly TableColumn[],
  options: Pick<DatabaseOutputOptions, "mapping" | "allowLossy">,
): Mapping {
  const matched = match(input, target, options.mapping)
  const issues = [...matched.issues, ...duplicates(matched.pairs), ...unmapped(matched.pairs, target)]
  for (const pair of matched.pairs) issues.push(...conversion(pair, options.allowLossy))
  return { pairs: matched.pairs, issues, notes: matched.notes }
}

function match(input: Columns, target: readonly TableColumn[], mapping: DatabaseOutputOptions["mapping"]): Mapping {
  if (mapping === "name") return byName(input, target)
  return mapping === "position" ? byPosition(input, target) : explicit(input, target, mapping)
}

function byName(input: Columns, target: readonly TableColumn[]): Mapping {
  const pairs: MappedColumn[] = []
  const issues: Issue[] = []
  const dropped: string[] = []
  const computed: string[] = []
  for (const from of input) {
    const exact = target.find((column) => column.name === from.name)
    const alike = target.filter((column) => column.name.toLowerCase() === from.name.toLowerCase())
    const to = exact ?? (alike.length === 1 ? alike[0] : undefined)
    if (to === undefined && alike.length > 1) {
      issues.push({
        severity: "error",
        column: from.name,
        message: `Cannot map column "${from.name}" by name: ${alike.map((column) => `"${column.name}"`).join(" and ")} differ only in case`,
        hint: "List the pairs in mapping",
      })
    } else if (to === undefined) dropped.push(from.name)
    else if (to.generated) computed.push(from.name)
    else pairs.push({ from, to })
  }
  if (pairs.length === 0 && issues.length === 0) {
    const why =
      computed.length > 0
        ? `the database computes ${computed.map((name) => `"${name}"`).join(", ")}`
        : `none of ${names(input)} is a column of the table, which has ${names(target)}`
    issues.push({
      severity: "error",
      message: `Cannot map by name: ${why}`,
      hint: "List the pairs in mapping, or map by position",
    })
  }
  const notes: string[] = []
  if (dropped.length > 0) notes.push(`not written, the table has no such column: ${dropped.join(", ")}`)
  if (computed.length > 0) notes.push(`not written, the database computes it: ${computed.join(", ")}`)
  return { pairs, issues, notes }
}

function byPosition(input: Columns, target: readonly TableColumn[]): Mapping {
  const writable = target.filter((column) => !column.generated)
  const pairs = input.slice(0, writable.length).map((from, i) => ({ from, to: writable[i]! }))
  if (input.length <= writable.length) return { pairs, issues: [], notes: [] }
  const message = `Cannot map by position: ${input.length} columns come in, the table has ${writable.length} that can be written`
  return {
    pairs,
    issues: [{ severity: "error", message, hint: "Drop columns with select, or list the pairs in mapping" }],
    notes: [],
  }
}

function explicit(
  input: Columns,
  target: readonly TableColumn[],
  list: readonly { from: string; to: string }[],
): Mapping {
  const pairs: MappedColumn[] = []
  const issues: Issue[] = []
  for (const { from: source, to: sink } of list) {
    const from = input.find((column) => column.name === source)
    const to = target.find((column) => column.name === sink)
    if (from === undefined) issues.push(unknown(source, input, "no such column comes in"))
    else if (to === undefined) issues.push(unknown(sink, target, "the table has no such column"))
    else if (to.generated)
      issues.push({
        severity: "error",
        column: sink,
        message: `Cannot write column "${sink}": the database computes it`,
      })
    else pairs.push({ from, to })
  }
  return { pairs, issues, notes: [] }
}

function unknown(name: string, columns: Columns, why: string): Issue {
  const near = closestName(
    name,
    columns.map((column) => column.name),
  )
  return {
    severity: "error",
    column: name,
    message: `Cannot map column "${name}": ${why}`,
    hint: near === undefined ? `There are ${names(columns)}` : `Did you mean "${near}"?`,
  }
}

function duplicates(pairs: readonly MappedColumn[]): Issue[] {
  return pairs
    .filter((pair, i) => pairs.findIndex((other) => other.to.name === pair.to.name) !== i)
    .map((pair) => ({
      severity: "error",
      column: pair.to.name,
      message: `Cannot write column "${pair.to.name}" twice: ${pairs
        .filter((other) => other.to.name === pair.to.name)
        .map((other) => `"${other.from.name}"`)
        .join(" and ")} go there`,
      hint: "List the pairs in mapping",
    }))
}

function unmapped(pairs: readonly MappedColumn[], target: readonly TableColumn[]): Issue[] {
  const written = new Set(pairs.map((pair) => pair.to.name))
  return target
    .filter(
      (column) =>
        !written.has(column.name) && !column.nullable && !column.hasDefault && !column.generated && !column.identity,
    )
    .map((column) => ({
      severity: "error",
      column: column.name,
      message: `Cannot leave out column "${column.name}": it is NOT NULL and has no default`,
      hint: "Map a column to it, or give it a default",
    }))
}

type Consent = DatabaseOutputOptions["allowLossy"]

/** Kinds whose values may hold any character. */
const TEXTS = new Set<string>(["string", "json", "native"])

function conversion({ from, to }: MappedColumn, allowLossy: Consent): Issue[] {
  const name = from.name === to.name ? `"${from.name}"` : `"${from.name}" to "${to.name}"`
  const types = `${from.native?.type ?? from.type.kind} to ${to.native?.type ?? to.type.kind}`
  const { level, why } = fidelity(from.type, to.type)
  const issues: Issue[] = []
  if (level === "impossible") {
    const message = `Cannot convert column ${name}: ${types}`
    issues.push({ severity: "error", column: from.name, message, hint: "Cast it with select, or map another column" })
  }
  if (level === "lossy") {
    const message = `Column ${name} loses something: ${types}, ${why}`
    issues.push(lossyIssue(message, [from.name, to.name], allowLossy))
  }
  if (level === "checked")
    issues.push({ severity: "warning", column: from.name, message: `Column ${name} is checked: ${types}, ${why}` })
  if (to.characterSet !== undefined && to.characterSet !== from.characterSet && TEXTS.has(from.type.kind)) {
    const message = `Column ${name} holds no character outside ${to.characterSet}: rows with others are rejected`
    issues.push({ severity: "warning", column: from.name, message })
  }
  if (from.nullable && !to.nullable && !to.hasDefault) {
    issues.push({
      severity: "warning",
      column: from.name,
      message: `Column ${name} may be NULL, the target may not: such rows are rejected`,
    })
  }
  return issues
}

/** Something is rounded or dropped: an error unless the flow consents to it for one of the names of the column. */
export function lossyIssue(message: string, columns: readonly [string, ...string[]], allowLossy: Consent): Issue {
  const [column] = columns
  const consent = typeof allowLossy === "boolean" ? allowLossy : columns.some((name) => allowLossy.includes(name))
  if (consent) return { severity: "warning", column, message }
  return { severity: "lossy", column, message, hint: `Accept it with allowLossy: ["${column}"]` }
}

function names(columns: Columns): string {
  return columns.map((column) => `"${column.name}"`).join(", ")
}
