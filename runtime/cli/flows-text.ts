import type { Api } from "../../web/api/index.ts"
import { count } from "./number-text.ts"
import { moment } from "./run-text.ts"
import type { Style } from "./style.ts"
import { printable, textTable } from "./text-table.ts"

type Listed = Api["GET /flows"]["answer"]["items"][number]
type Version = Api["GET /flows/:name/versions"]["answer"]["items"][number]
type Difference = Api["GET /flows/:name/compare"]["answer"]

export function flowTable(flows: readonly Listed[], style: Style): readonly string[] {
  const cells = flows.map(({ name, folder, version, updatedAt, updatedBy, description }) => [
    ...[name, folder, count(version), moment(updatedAt), updatedBy, description],
  ])
  return textTable(COLUMNS, cells, { style, most: 64 })
}

export function versionLine({ version, author, at, remark }: Version): string {
  return printable(`version ${version} by ${author}, ${moment(at)}${remark === "" ? "" : `: ${remark}`}`)
}

/** What lies between two versions, a line for each step. */
export function differenceLines({ steps, hops, settings, rest, properties, ...looks }: Difference): readonly string[] {
  const lines = [
    ...steps.added.map((id) => `step "${id}" was added`),
    ...steps.removed.map((id) => `step "${id}" was removed`),
    ...steps.changed.map(({ id, changes }) => `step "${id}" was changed: ${pointersOf(changes)}`),
  ]
  const moved = hops.added.length + hops.removed.length + hops.changed.length
  if (moved > 0) lines.push(`${count(moved)} ${moved === 1 ? "hop was" : "hops were"} changed`)
  if (settings.length > 0) lines.push(`settings were changed: ${pointersOf(settings)}`)
  if (properties.length > 0) lines.push(`properties were changed: ${pointersOf(properties)}`)
  if (rest.length > 0) lines.push(`the document was changed: ${pointersOf(rest)}`)
  if (lines.length === 0 && (looks.isDrawnAnew || looks.isReordered))
    lines.push("only how it is drawn or written was changed")
  return lines.map(printable)
}

function pointersOf(changes: readonly { readonly pointer: string }[]): string {
  const shown = changes.slice(0, MOST_POINTERS).map(({ pointer }) => pointer)
  return changes.length > shown.length
    ? `${shown.join(", ")} and ${changes.length - shown.length} more`
    : shown.join(", ")
}

/** A line of a unified diff. */
export function diffLine(
  line: string,
  { style, isShown }: { readonly style: Style; readonly isShown: boolean },
): string {
  // In a file or a pipe it stays what it is.
  const safe = isShown
    ? line
        .split(/([\t\n])/)
        .map((part) => (/^[\t\n]$/.test(part) ? part : printable(part)))
        .join("")
    : line
  if (/^(---|\+\+\+) /.test(line)) return style.bold(safe)
  if (line.startsWith("@@")) return style.cyan(safe)
  if (line.startsWith("+")) return style.green(safe)
  return line.startsWith("-") ? style.red(safe) : safe
}

const MOST_POINTERS = 5
const COLUMNS = [
  { title: "flow" },
  { title: "folder" },
  { title: "version", align: "right" },
  { title: "saved" },
  { title: "by" },
  { title: "what it does" },
] as const
