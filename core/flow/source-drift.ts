import type { Column, Columns, LogicalType } from "../contract/index.ts"

/** Code of the failure when a source has changed so that the plan no longer holds. */
export const SCHEMA_DRIFT = "SCHEMA_DRIFT"
/** Code of the failure when a source has new columns, nothing else, and `addColumns` asks for a plan with them. */
export const NEW_COLUMNS = "NEW_COLUMNS"

/** What a plan has promised of a source. */
export interface Promised {
  readonly planned: Columns
  /** All columns there were; absent: new ones are of no concern. */
  readonly seen?: readonly string[]
}

export interface Drift {
  /** Planned columns that are gone or have changed, one phrase each. */
  readonly changed: readonly string[]
  /** Names of columns that were not there. */
  readonly added: readonly string[]
}

/** What became of a source's columns since the plan. */
export function driftOf(now: Columns, { planned, seen }: Promised): Drift {
  const changed = planned.flatMap((column) => {
    const found = now.find(({ name }) => name === column.name)
    return found === undefined ? [`column "${column.name}" is gone`] : changeOf(column, found)
  })
  const added = seen === undefined ? [] : now.map(({ name }) => name).filter((name) => !seen.includes(name))
  return { changed, added }
}

/** A column that may be NULL no longer keeps every promise; the other way round it does. */
function changeOf(was: Column, is: Column): string[] {
  const [before, after] = [shownType(was.type), shownType(is.type)]
  const changes: string[] = []
  if (before !== after) changes.push(`was ${before} and is now ${after}`)
  else if (was.native?.type !== is.native?.type)
    changes.push(`was ${was.native?.type ?? before} and is now ${is.native?.type ?? after}`)
  if (!was.nullable && is.nullable) changes.push("was NOT NULL and may now be NULL")
  return changes.length === 0 ? [] : [`column "${was.name}" ${changes.join(", ")}`]
}

/** All of a type, such as `decimal(12,2)`. */
function shownType({ kind, ...rest }: LogicalType): string {
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined && value !== false)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (typeof value === "number" ? String(value) : value === true ? name : value))
  return details.length === 0 ? kind : `${kind}(${details.join(",")})`
}
