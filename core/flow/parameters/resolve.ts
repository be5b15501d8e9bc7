import type { ParameterValue } from "../../contract/index.ts"
import { closestName } from "../closest-name.ts"
import {
  isRecord,
  nameFault,
  type ParameterDeclaration,
  type ParameterDeclarations,
  type ParameterType,
  readDeclarations,
} from "./declaration.ts"
import { collectUses, knownNames, type TemplateUse } from "./discover.ts"
import { isFault, type Outcome, type ParameterProblem, pointerTo, problemOf } from "./problem.ts"
import { type Reference, readReference } from "./reference.ts"
import { readClock } from "./run-dates.ts"
import { scanTemplates, writtenTemplate } from "./template.ts"
import { evaluateTime, type RunClock } from "./time-expression.ts"
import { lengthFault, readValue } from "./value.ts"

/** Everything that parameters are resolved from. The caller fixes the dates, see `defaultDates`. */
export interface ResolveRequest {
  /** The flow document; its templates are what is resolved. */
  readonly document: unknown
  /** Absent: the document's `parameters`. */
  readonly declarations?: ParameterDeclarations
  /** Values that a person or a caller gives, such as `-p name=value`. They may refer to other parameters. */
  readonly given?: Readonly<Record<string, string>>
  /** `yyyy-MM-dd` or `yyyyMMdd`. */
  readonly bizdate: string
  /** ISO; without an offset a wall clock in `timeZone`. */
  readonly scheduledAt: string
  readonly timeZone: string
  /** Values of `flow` and `run`; `bizdate` follows from the business date. Taken as they are, never as templates. */
  readonly builtins?: Readonly<Record<string, string>>
}

export interface ResolvedParameters {
  /**
   * What `substitute` and `bindSql` look up, and what components get as `session.parameters`: one entry for every
   * parameter under its declared name, and one for every template of the document under the text between its braces as
   * spelt there: `region`, `Region`, `yyyyMMdd-1d`; with brackets, `[HH-1/24]`.
   */
  readonly values: Readonly<Record<string, ParameterValue>>
  /** For people: each parameter and each date expression once. */
  readonly preview: readonly PreviewedParameter[]
}

export interface PreviewedParameter {
  /** A name, or a date expression as written. */
  readonly name: string
  readonly source: "given" | "default" | "builtin" | "empty" | "businessDate" | "scheduledTime"
  readonly type: ParameterType
  readonly value: string
}

/** Resolves every parameter and date expression of a document, or says everything that is wrong with them. */
export function resolveParameters(request: ResolveRequest): Outcome<ResolvedParameters> {
  const read = readClock(request)
  const fromDocument = isRecord(request.document) ? request.document.parameters : undefined
  const declared = readDeclarations(request.declarations ?? fromDocument)
  if (read.problems !== undefined || declared.problems !== undefined) {
    return { problems: [...(read.problems ?? []), ...(declared.problems ?? [])] }
  }
  const { uses, problems } = collectUses(request.document, declared.declarations)
  const resolver = new Resolver(request, read.clock, declared.declarations, uses)
  resolver.problems.push(...problems)
  resolver.checkGiven()
  const expressions = new Map<string, PreviewedParameter>()
  const values = new Map<string, ParameterValue>()
  for (const name of [...Object.keys(declared.declarations), ...resolver.builtinNames()]) resolver.valueOf(name)
  for (const { key, pointer, reference, owner } of uses) {
    // What only a default refers to is resolved when that default is used.
    if (owner !== undefined || values.has(key)) continue
    const place = { pointer, written: writtenTemplate(key), path: [] }
    const value = reference.kind === "parameter" ? resolver.valueOf(reference.name)?.value : undefined
    const text = value === undefined ? resolver.textOf(reference, place) : value.value
    if (text === undefined) continue
    values.set(key, value ?? { type: "string", value: text })
    if (reference.kind === "parameter") continue
    const source = reference.base === "business" ? "businessDate" : "scheduledTime"
    expressions.set(place.written, { name: place.written, source, type: "string", value: text })
  }
  const entries = resolver.entries()
  for (const { name, value } of entries) values.set(name, value)
  if (resolver.problems.length > 0) return { problems: resolver.problems }
  const parameters = entries.map(({ name, source, type, value }) => ({ name, source, type, value: value.value }))
  return { values: Object.fromEntries(values), preview: [...parameters, ...expressions.values()] }
}

interface Entry {
  readonly name: string
  readonly source: PreviewedParameter["source"]
  readonly type: ParameterType
  readonly value: ParameterValue
}

interface Place {
  readonly pointer?: string
  readonly parameter?: string
  readonly written: string
  /** Parameters that are being resolved, outermost first. */
  readonly path: readonly string[]
}

class Resolver {
  readonly problems: ParameterProblem[] = []
  private readonly request: ResolveRequest
  private readonly clock: RunClock
  private readonly declarations: ParameterDeclarations
  private readonly uses: readonly TemplateUse[]
  private readonly known: (lowerName: string) => boolean
  private readonly spellings = new Map<string, string>()
  private readonly given = new Map<string, string>()
  private readonly builtins = new Map<string, string>()
  /** By name in lower case; undefined when it could not be resolved, and that has been said. */
  private readonly resolved = new Map<string, Entry | undefined>()

  constructor(
    request: ResolveRequest,
    clock: RunClock,
    declarations: ParameterDeclarations,
    uses: readonly TemplateUse[],
  ) {
    this.request = request
    this.clock = clock
    this.declarations = declarations
    this.uses = uses
    this.known = knownNames(declarations)
    for (const name of Object.keys(declarations)) this.spellings.set(name.toLowerCase(), name)
    const bizdate = readReference("yyyyMMdd", () => false)
    if (!isFault(bizdate)) this.builtins.set("bizdate", this.textOf(bizdate, { written: "bizdate", path: [] }) ?? "")
    for (const [name, value] of Object.entries(request.builtins ?? {})) this.builtins.set(name.toLowerCase(), value)
    for (const name of this.builtins.keys()) if (!this.spellings.has(name)) this.spellings.set(name, name)
    for (const { reference } of uses) {
      if (reference.kind !== "parameter") continue
      const lower = reference.name.toLowerCase()
      if (!this.spellings.has(lower)) this.spellings.set(lower, reference.name)
    }
    for (const [name, value] of Object.entries(request.given ?? {})) this.given.set(name.toLowerCase(), value)
  }

  builtinNames(): Iterable<string> {
    return this.builtins.keys()
  }

  /** What is resolved so far: declared parameters, then built-in ones, then the ones that are only used. */
  entries(): readonly Entry[] {
    return [...this.spellings.keys()].flatMap((name) => this.resolved.get(name) ?? [])
  }

  /** Refuses values for parameters that nobody declares or uses, and two spellings of one name. */
  checkGiven(): void {
    const referred = new Set(this.spellings.keys())
    for (const text of Object.values(this.request.given ?? {})) {
      const pieces = scanTemplates(text, { references: true })
      if (isFault(pieces)) continue
      for (const piece of pieces) if (typeof piece !== "string") referred.add(piece.key.toLowerCase())
    }
    const seen = new Map<string, string>()
    for (const name of Object.keys(this.request.given ?? {})) {
      const lower = name.toLowerCase()
      const twin = seen.get(lower)
      seen.set(lower, name)
      const place = { reason: "unknown", parameter: name } as const
      const action = `Cannot set parameter "${name}"`
      if (twin !== undefined) {
        this.problems.push(problemOf(action, { fault: `"${twin}" is given too, and case does not count` }, place))
      } else if (!referred.has(lower)) {
        const fault = nameFault(name) ?? "the flow does not declare or use it"
        const near = closestName(name, this.spellings.values())
        const hint = near === undefined ? "Declare it in the flow's parameters" : `Did you mean "${near}"?`
        this.problems.push(problemOf(action, { fault, hint }, place))
      }
    }
  }

  valueOf(name: string, path: readonly string[] = []): Entry | undefined {
    const lower = name.toLowerCase()
    if (this.resolved.has(lower)) return this.resolved.get(lower)
    const spelt = this.spellings.get(lower) ?? name
    const start = path.findIndex((one) => one.toLowerCase() === lower)
    if (start >= 0) {
      this.refuseCycle([...path.slice(start), spelt])
      return undefined
    }
    const entry = this.compute(spelt, [...path, spelt])
    // A member of a cycle was settled, and reported, while it was being resolved.
    if (!this.resolved.has(lower)) this.resolved.set(lower, entry)
    return this.resolved.get(lower)
  }

  /** The text that a reference stands for; undefined when there is none, and that has been said. */
  textOf(reference: Reference, place: Place): string | undefined {
    if (reference.kind === "parameter") return this.valueOf(reference.name, place.path)?.value.value
    const result = evaluateTime(reference.expression, reference.base, this.clock)
    if (!isFault(result)) return result.text
    this.problems.push(problemOf(`Cannot resolve "${place.written}"`, result, { reason: "template", ...at(place) }))
    return undefined
  }

  private compute(name: string, path: readonly string[]): Entry | undefined {
    const lower = name.toLowerCase()
    const declaration = Object.hasOwn(this.declarations, name) ? this.declarations[name] : undefined
    const { source, raw } = this.rawOf(lower, declaration)
    if (raw === undefined) {
      this.refuseMissing(name, declaration === undefined ? undefined : pointerTo("/parameters", name))
      return undefined
    }
    const pointer = source === "default" ? pointerTo(pointerTo("/parameters", name), "default") : undefined
    const place = { ...(pointer === undefined ? {} : { pointer }), parameter: name }
    const long = source === "builtin" ? undefined : lengthFault(raw)
    const text = long !== undefined || source === "builtin" ? raw : this.expand(raw, { ...place, written: raw, path })
    if (text === undefined) return undefined
    const type = declaration?.type ?? "string"
    const value =
      long ??
      (source === "builtin" && type === "string" ? { type, value: text } : readValue(text, declaration ?? { type }))
    if (!isFault(value)) return { name, source, type, value }
    this.problems.push(problemOf(`Cannot set parameter "${name}"`, value, { reason: "value", ...place }))
    return undefined
  }

  /** What stands for the value before references are resolved: given, then declared, then built in. */
  private rawOf(
    lowerName: string,
    declaration: ParameterDeclaration | undefined,
  ): { readonly source: Entry["source"]; readonly raw: string | undefined } {
    const given = this.given.get(lowerName)
    if (given !== undefined) return { source: "given", raw: given }
    if (declaration?.default !== undefined) return { source: "default", raw: declaration.default }
    const builtin = this.builtins.get(lowerName)
    if (builtin !== undefined) return { source: "builtin", raw: builtin }
    return { source: "empty", raw: declaration?.required === false ? "" : undefined }
  }

  private expand(text: string, place: Place): string | undefined {
    const pieces = scanTemplates(text, { references: true })
    if (isFault(pieces)) {
      // The defaults of the document have been read, and refused, before anything is resolved.
      if (place.pointer !== undefined) return undefined
      const action = `Cannot read the value "${text}" of parameter "${place.parameter}"`
      this.problems.push(problemOf(action, pieces, { reason: "template", ...at(place) }))
      return undefined
    }
    let expanded: string | undefined = ""
    for (const piece of pieces) {
      const value = typeof piece === "string" ? piece : this.pieceText(piece.key, place)
      expanded = value === undefined || expanded === undefined ? undefined : expanded + value
    }
    return expanded
  }

  private pieceText(key: string, place: Place): string | undefined {
    const reference = readReference(key, this.known)
    if (!isFault(reference)) return this.textOf(reference, { ...place, written: writtenTemplate(key) })
    const action = `Cannot read "${writtenTemplate(key)}" in the value of parameter "${place.parameter}"`
    // The defaults of the document have been read, and refused, before anything is resolved.
    if (place.pointer === undefined)
      this.problems.push(problemOf(action, reference, { reason: "template", ...at(place) }))
    return undefined
  }

  private refuseCycle(path: readonly string[]): void {
    for (const name of path) this.resolved.set(name.toLowerCase(), undefined)
    const name = path[0] ?? ""
    const fault =
      path.length === 2
        ? { fault: "it refers to itself", hint: "Give it a value of its own" }
        : { fault: `it refers to itself through ${path.join(" → ")}`, hint: "Give one of them a value of its own" }
    const preset = Object.hasOwn(this.declarations, name) && !this.given.has(name.toLowerCase())
    const pointer = preset ? { pointer: pointerTo(pointerTo("/parameters", name), "default") } : {}
    this.problems.push(
      problemOf(`Cannot resolve parameter "${name}"`, fault, { reason: "cycle", parameter: name, ...pointer }),
    )
  }

  private refuseMissing(name: string, declaredAt: string | undefined): void {
    const lower = name.toLowerCase()
    const use = this.uses.find(({ reference: r }) => r.kind === "parameter" && r.name.toLowerCase() === lower)
    const pointer = use?.pointer ?? declaredAt
    const near =
      declaredAt === undefined
        ? closestName(
            name,
            [...this.spellings.values()].filter((n) => n !== name),
          )
        : undefined
    const give = `Give one with -p ${name}=…, or declare a default`
    const hint = near === undefined ? give : `${give}; or did you mean "${near}"?`
    const place = { reason: "missing", parameter: name, ...(pointer === undefined ? {} : { pointer }) } as const
    this.problems.push(problemOf(`Cannot resolve parameter "${name}"`, { fault: "it has no value", hint }, place))
  }
}

function at(place: Place): Pick<ParameterProblem, "pointer" | "parameter"> {
  return {
    ...(place.pointer === undefined ? {} : { pointer: place.pointer }),
    ...(place.parameter === undefined ? {} : { parameter: place.parameter }),
  }
}
