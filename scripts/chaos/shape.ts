import type { Random } from "./random.ts"
import type { ServerName } from "./servers.ts"

export type Mode = "append" | "overwriteRows" | "updateRows" | "replaceTable"

export const modes: readonly Mode[] = ["append", "overwriteRows", "updateRows", "replaceTable"]

/**
 * Which rows of the source the target does not take. `refused`: the target itself says no, to a unique key and to a
 * check, while both tables have the same types, so that bytes are forwarded unread. `typed`: the types differ, and text
 * is too long, no number, or NULL.
 */
export type Bad = "none" | "refused" | "typed"

/** What is copied in a run, and how. */
export interface Shape {
  readonly source: ServerName
  readonly target: ServerName
  readonly mode: Mode
  readonly splits: 1 | 4
  readonly rows: number
  readonly bad: Bad
}

/** Draws a shape. Every axis is drawn, whether it is wanted or given: a filter must not move the others. */
export function drawShape(
  random: Random,
  wanted: { readonly mode?: Mode | undefined; readonly mostRows?: number },
): Shape {
  const [source, target] = random.pick(directions)
  const mode = random.pick(modes)
  const splits = random.pick([1, 4] as const)
  // Small tables are made of phases, large ones of rows.
  const rows = Math.round(2000 * 30 ** random.number())
  const bad = random.weighted<Bad>([
    [2, "none"],
    [2, "refused"],
    [2, "typed"],
  ])
  return { source, target, mode: wanted.mode ?? mode, splits, rows: Math.min(rows, wanted.mostRows ?? rows), bad }
}

/** `postgres-a` to `mariadb, append, 4 splits, 12000 rows, bad rows refused`. */
export function shapeText({ source, target, mode, splits, rows, bad }: Shape): string {
  const way = `${short(source)}→${source === target ? "same" : short(target)}`
  return `${way} ${mode} ${splits}× ${rows} rows${bad === "none" ? "" : `, ${bad}`}`
}

export function isPostgres(server: ServerName): boolean {
  return server !== "mariadb"
}

function short(server: ServerName): string {
  return isPostgres(server) ? "pg" : "mysql"
}

const directions: readonly (readonly [source: ServerName, target: ServerName])[] = [
  ["postgres-a", "postgres-b"],
  ["postgres-a", "postgres-a"],
  ["mariadb", "postgres-b"],
  ["mariadb", "postgres-b"],
  ["postgres-a", "mariadb"],
  ["postgres-a", "mariadb"],
]
