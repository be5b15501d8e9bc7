import {
  builtinNames,
  isRecord,
  type ParameterDeclaration,
  type ParameterDeclarations,
  readDeclarations,
} from "./declaration.ts"
import { isFault, type ParameterProblem, pointerTo, problemOf } from "./problem.ts"
import { type Reference, readReference } from "./reference.ts"
import { scanTemplates, writtenTemplate } from "./template.ts"

/** A parameter that a flow document declares or uses. */
export interface DiscoveredParameter extends ParameterDeclaration {
  readonly name: string
  /** `declared`, `builtin` (set by the host) or `used`: found in a text only, hence a string that must be given. */
  readonly origin: "declared" | "builtin" | "used"
  readonly required: boolean
  /** JSON pointers of the texts that refer to it, the defaults of other parameters included. */
  readonly uses: readonly string[]
}

/** A date expression that a document uses, as written, and where. */
export interface DiscoveredExpression {
  readonly template: string
  readonly uses: readonly string[]
}

/** What {@link discoverParameters} found. Problems do not hide the rest. */
export interface Discovery {
  readonly parameters: readonly DiscoveredParameter[]
  readonly expressions: readonly DiscoveredExpression[]
  readonly problems: readonly ParameterProblem[]
}

/**
 * Lists the parameters of a flow document: the declared ones in their order, then built-in ones that are used, then
 * undeclared ones as they appear. Looks into `parameters`, the `config` of each step, and `settings`.
 */
export function discoverParameters(document: unknown): Discovery {
  const declared = readDeclarations(isRecord(document) ? document.parameters : undefined)
  const declarations = declared.problems === undefined ? declared.declarations : {}
  const found = collectUses(document, declarations)
  const parameters = new Map<string, DiscoveredParameter>()
  for (const [name, declaration] of Object.entries(declarations)) {
    const required = declaration.default === undefined && declaration.required !== false
    parameters.set(name.toLowerCase(), { ...declaration, name, origin: "declared", required, uses: [] })
  }
  const expressions = new Map<string, string[]>()
  for (const { key, pointer, reference } of found.uses) {
    if (reference.kind === "time") {
      const template = writtenTemplate(key)
      expressions.set(template, [...(expressions.get(template) ?? []), pointer])
      continue
    }
    const lower = reference.name.toLowerCase()
    const builtin = isBuiltin(lower)
    const entry: DiscoveredParameter = parameters.get(lower) ?? {
      name: builtin ? lower : reference.name,
      type: "string",
      origin: builtin ? "builtin" : "used",
      required: !builtin,
      uses: [],
    }
    parameters.set(lower, { ...entry, uses: [...entry.uses, pointer] })
  }
  const order = ["declared", "builtin", "used"]
  return {
    parameters: [...parameters.values()].sort((a, b) => order.indexOf(a.origin) - order.indexOf(b.origin)),
    expressions: [...expressions].map(([template, uses]) => ({ template, uses: [...new Set(uses)] })),
    problems: [...(declared.problems ?? []), ...found.problems],
  }
}

/** A template that can be read, and where it stands. */
export interface TemplateUse {
  readonly key: string
  readonly pointer: string
  readonly reference: Reference
  /** The parameter in whose default it stands. */
  readonly owner?: string
}

/** Every template of a document, the defaults of its parameters included. */
export function collectUses(
  document: unknown,
  declarations: ParameterDeclarations,
): { readonly uses: readonly TemplateUse[]; readonly problems: readonly ParameterProblem[] } {
  const uses: TemplateUse[] = []
  const problems: ParameterProblem[] = []
  const known = knownNames(declarations)
  const scan = (text: string, pointer: string, owner?: string) => {
    const pieces = scanTemplates(text, { references: owner !== undefined })
    if (isFault(pieces)) {
      problems.push(problemOf(`Cannot read "${shortened(text)}"`, pieces, { reason: "template", pointer }))
      return
    }
    for (const piece of pieces) {
      if (typeof piece === "string") continue
      const reference = readReference(piece.key, known)
      if (isFault(reference)) {
        const action = `Cannot read "${writtenTemplate(piece.key)}"`
        problems.push(problemOf(action, reference, { reason: "template", pointer }))
      } else uses.push({ key: piece.key, pointer, reference, ...(owner === undefined ? {} : { owner }) })
    }
  }
  for (const [name, { default: preset }] of Object.entries(declarations)) {
    if (preset !== undefined) scan(preset, pointerTo(pointerTo("/parameters", name), "default"), name)
  }
  for (const [pointer, value] of parameterisedParts(document)) {
    eachText(value, pointer, (text, at) => scan(text, at))
  }
  return { uses, problems }
}

/** True for the names, in lower case, that are parameters whatever they look like. */
export function knownNames(declarations: ParameterDeclarations): (lowerName: string) => boolean {
  const names = new Set(Object.keys(declarations).map((name) => name.toLowerCase()))
  return (name) => names.has(name) || isBuiltin(name)
}

/** The parts of a flow document in which templates are read, with their pointers. */
function parameterisedParts(document: unknown): readonly (readonly [string, unknown])[] {
  if (!isRecord(document)) return []
  const steps = Array.isArray(document.steps) ? document.steps : []
  return [
    ...steps.map((step: unknown, i) => [`/steps/${i}/config`, isRecord(step) ? step.config : undefined] as const),
    ["/settings", document.settings] as const,
  ]
}

function eachText(value: unknown, pointer: string, visit: (text: string, pointer: string) => void): void {
  if (typeof value === "string") visit(value, pointer)
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) eachText(item, pointerTo(pointer, i), visit)
  else if (isRecord(value)) {
    for (const [key, item] of Object.entries(value)) eachText(item, pointerTo(pointer, key), visit)
  }
}

function isBuiltin(lowerName: string): boolean {
  return builtinNames.some((name) => name === lowerName)
}

export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
