import type { Column, Columns, Issue, LogicalType } from "../../core/contract/index.ts"
import { parseTypeName, typeName, typeNameExamples } from "../_sql/type-name.ts"
import { canCast } from "./can-cast.ts"
import { nearestName } from "./nearest-name.ts"
import type { SelectConfig } from "./select-transform.ts"

export type Entry = string | { readonly column: string; readonly as?: string; readonly type?: string }

/** One column of the output: where it comes from and what it becomes. */
export interface Pick {
  readonly from: string
  readonly output: Column
  readonly isCast: boolean
}

/** What the configuration means for these columns. Entries that cannot be followed are left out and told as issues. */
export function pickColumns(
  config: SelectConfig,
  input: Columns,
): { picks: readonly Pick[]; issues: readonly Issue[] } {
  const issues: Issue[] = [...conflicts(config), ...unknownColumns(config, input)]
  const picks = entriesOf(config, input).flatMap((entry): Pick[] => {
    const { column: from, as = from, type: text } = typeof entry === "string" ? { column: entry } : entry
    const column = input.find(({ name }) => name === from)
    if (!column) return []
    const type = text === undefined ? column.type : parseTypeName(text)
    if (!type) {
      issues.push(error(from, `Cannot read the type "${text}" of column "${from}"`, `Write one of ${typeNameExamples}`))
      return []
    }
    if (!canCast(column.type, type)) {
      issues.push(
        error(
          from,
          `Cannot cast column "${from}" from ${typeName(column.type)} to ${typeName(type)}: there is no such conversion`,
        ),
      )
      return []
    }
    return [pick(column, as, type, config.onCastError)]
  })
  return { picks, issues: [...issues, ...duplicates(picks)] }
}

function pick(column: Column, name: string, type: LogicalType, onCastError: SelectConfig["onCastError"]): Pick {
  if (typeName(type) === typeName(column.type)) return { from: column.name, output: { ...column, name }, isCast: false }
  // What the source calls the type does not hold any longer.
  const { native: _, ...kept } = column
  const nullable = column.nullable || onCastError === "null"
  return { from: column.name, output: { ...kept, name, type, nullable }, isCast: true }
}

function entriesOf({ columns, change = [], drop = [] }: SelectConfig, input: Columns): readonly Entry[] {
  if (columns) return columns
  const changes = new Map(change.map((entry) => [columnOf(entry), entry]))
  return input.filter(({ name }) => !drop.includes(name)).map(({ name }) => changes.get(name) ?? name)
}

function conflicts({ columns, change, drop }: SelectConfig): Issue[] {
  if (columns && (change || drop)) {
    return [error(undefined, 'Cannot combine "columns" with "change" or "drop": "columns" is the whole output already')]
  }
  if (!columns && !change && !drop)
    return [error(undefined, 'Cannot select nothing: give "columns", or "change" and "drop"')]
  const named = (change ?? []).map(columnOf)
  const twice = named.find((name, i) => drop?.includes(name) || named.indexOf(name) !== i)
  return twice === undefined ? [] : [error(twice, `Cannot change column "${twice}": it is named more than once`)]
}

function unknownColumns({ columns = [], change = [], drop = [] }: SelectConfig, input: Columns): Issue[] {
  const names = input.map(({ name }) => name)
  const named = new Set([...columns, ...change, ...drop].map(columnOf))
  return [...named]
    .filter((name) => !names.includes(name))
    .map((name) => {
      const near = nearestName(name, names)
      return error(
        name,
        `Cannot find column "${name}" in the input`,
        near === undefined ? `It has ${list(names)}` : `Did you mean "${near}"?`,
      )
    })
}

function duplicates(picks: readonly Pick[]): Issue[] {
  const names = picks.map(({ output }) => output.name)
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map((name) =>
    error(name, `Cannot give the name "${name}" to more than one column of the output`, 'Rename one of them with "as"'),
  )
}

function columnOf(entry: Entry): string {
  return typeof entry === "string" ? entry : entry.column
}

function list(names: readonly string[]): string {
  const shown = names
    .slice(0, 12)
    .map((name) => `"${name}"`)
    .join(", ")
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown
}

function error(column: string | undefined, message: string, hint?: string): Issue {
  return { severity: "error", ...(column !== undefined && { column }), message, ...(hint !== undefined && { hint }) }
}
