import { readFileSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { readJson } from "../../core/flow/json-position.ts"
import type { FlowProblem } from "../../core/flow/problem.ts"

/** A file of data sources, unchecked but for its shape. */
export interface SourcesFile {
  readonly path: string
  /** Relative paths in it start here. */
  readonly folder: string
  /** True when other users of the machine can read it. */
  readonly isOpen: boolean
  readonly entries: Readonly<Record<string, SourceEntry>>
}

export interface SourceEntry {
  readonly type: string
  readonly settings: unknown
}

export interface SourcesPlace {
  /** Given on the command line or by HEADRACE_SOURCES: it has to exist. */
  readonly given: string | undefined
  readonly home: string
  readonly cwd: string
}

/** Reads the file of data sources; undefined when none is given and none lies where it is looked for. */
export function readSourcesFile(place: SourcesPlace): SourcesFile | { readonly problem: FlowProblem } | undefined {
  for (const path of candidates(place)) {
    const text = readText(path)
    if (typeof text === "string") return understand(path, text)
    if (place.given !== undefined || text.code !== "ENOENT")
      return { problem: { message: `Cannot read the data sources in "${path}": ${text.cause}`, hint: HINT } }
  }
  return undefined
}

/** Where data sources are looked for, the first that exists wins. */
export function candidates({ given, home, cwd }: SourcesPlace): readonly string[] {
  if (given !== undefined) return [resolve(cwd, given)]
  return [join(cwd, "headrace.sources.json"), join(home, "sources.json")]
}

function readText(path: string): string | { readonly code: string; readonly cause: string } {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    const code = (error as { code?: string }).code ?? "unknown"
    return { code, cause: CAUSES[code] ?? code }
  }
}

function understand(path: string, text: string): SourcesFile | { readonly problem: FlowProblem } {
  const json = readJson(text)
  if ("fault" in json) {
    const { line, column, message } = json.fault
    return {
      problem: { message: `Cannot read the data sources in "${path}": line ${line}, column ${column}: ${message}` },
    }
  }
  const { value } = json
  if (!isObject(value))
    return { problem: { message: `Cannot read the data sources in "${path}": it holds no object`, hint: HINT } }
  const entries: Record<string, SourceEntry> = {}
  for (const [name, entry] of Object.entries(value)) {
    if (name === "$schema") continue
    if (!isObject(entry) || typeof entry.type !== "string") {
      const message = `Cannot read data source "${name}" in "${path}": it has no type`
      return { problem: { message, hint: HINT } }
    }
    const unknown = Object.keys(entry).find((key) => key !== "type" && key !== "settings")
    if (unknown !== undefined) {
      const message = `Cannot read data source "${name}" in "${path}": there is no option "${unknown}"`
      return { problem: { message, hint: 'Options of the connection belong into "settings"' } }
    }
    entries[name] = { type: entry.type, settings: entry.settings ?? {} }
  }
  return { path, folder: dirname(path), isOpen: (statSync(path).mode & 0o077) !== 0, entries }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

const HINT = 'Write { "name": { "type": "postgres", "settings": { … } } }'
const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
}
