import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { ConfigProperty, ConfigSchema } from "../../core/contract/index.ts"
import type { FlowProblem } from "../../core/flow/problem.ts"
import { isObject } from "./sources-file.ts"

/** Settings with every `{ "env": … }` and `{ "file": … }` replaced by what it stands for. */
export interface Resolved {
  readonly settings: unknown
  readonly secrets: readonly string[]
  /** Options marked as secret whose value stands in the file itself. */
  readonly literal: readonly string[]
  readonly problems: readonly FlowProblem[]
}

export interface ResolveContext {
  /** Name of the data source, for messages. */
  readonly name: string
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Takes secrets from where settings say they are. A `path` option that is relative starts from the file's folder. */
export function resolveSecrets(settings: unknown, schema: ConfigSchema, context: ResolveContext): Resolved {
  const secrets: string[] = []
  const literal: string[] = []
  const problems: FlowProblem[] = []
  if (!isObject(settings)) return { settings, secrets, literal, problems }
  const result: Record<string, unknown> = {}
  for (const [option, value] of Object.entries(settings)) {
    const property = Object.hasOwn(schema.properties, option) ? schema.properties[option] : undefined
    // An unknown option is for the check to tell, whatever it holds.
    const reference = property === undefined ? undefined : referenceOf(value)
    if (reference === undefined) {
      result[option] = option === "path" && typeof value === "string" ? located(context.folder, value) : value
      if (property?.["x-secret"] !== true || typeof value !== "string" || value === "") continue
      secrets.push(value)
      literal.push(option)
      continue
    }
    const text = lookUp(reference, option, context)
    if (typeof text !== "string") {
      problems.push(text)
      continue
    }
    result[option] = typed(text, property)
    // A number or a choice tells nothing, and masking it would spoil messages.
    if (result[option] === text && property?.enum === undefined) secrets.push(text)
  }
  return { settings: result, secrets, literal, problems }
}

/** `:memory:` and URIs are for the database type to judge. */
export function located(folder: string, path: string): string {
  return path === "" || path.startsWith(":") || path.startsWith("file:") ? path : resolve(folder, path)
}

type Reference = { readonly env: string } | { readonly file: string }

function referenceOf(value: unknown): Reference | undefined {
  if (!isObject(value) || Object.keys(value).length !== 1) return undefined
  if (typeof value.env === "string") return { env: value.env }
  return typeof value.file === "string" ? { file: value.file } : undefined
}

function lookUp(reference: Reference, option: string, context: ResolveContext): string | FlowProblem {
  const what = `Cannot take option "${option}" of data source "${context.name}"`
  if ("env" in reference) {
    const text = context.environment[reference.env]
    if (text !== undefined) return text
    return {
      message: `${what} from the environment: ${reference.env} is not set`,
      hint: `Set it: export ${reference.env}=…`,
    }
  }
  const path = resolve(context.folder, reference.file)
  try {
    // Editors and `echo` end a file with a line break, which belongs to no password.
    return readFileSync(path, "utf8").replace(/\r?\n$/, "")
  } catch (error) {
    const { code = "unknown error" } = error as { code?: string }
    return {
      message: `${what} from the file "${path}": ${code}`,
      hint: "Check that it exists and that you may read it",
    }
  }
}

/** The environment knows only text. */
function typed(text: string, property: ConfigProperty | undefined): unknown {
  const types = [property?.type].flat()
  if ((types.includes("integer") || types.includes("number")) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (types.includes("boolean") && /^(true|false)$/.test(text)) return text === "true"
  return text
}
