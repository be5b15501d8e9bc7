import { flowSchema, MOST_CHARACTERS } from "../../flow/flow-schema.ts"
import { readJson } from "../../flow/json-position.ts"
import type { FlowProblem } from "../../flow/problem.ts"
import { decodeConfig } from "../../host/config.ts"
import type { Catalogue, KnownComponent } from "../components/catalogue.ts"
import { type RequestError, refuse } from "../request-error.ts"

type Known = Pick<Catalogue["Service"], "get" | "nearest">
type Fields = Readonly<Record<string, unknown>>

/** A step of a document that may be unfinished, with its component where it names one. */
export interface DraftStep {
  readonly id: string
  readonly pointer: string
  readonly use: string | undefined
  readonly component: KnownComponent | undefined
  readonly config: Fields
}

/** Reads a document that may be unfinished, but not unreadable. */
export function readDraft(text: string): Fields | RequestError {
  if (text.length > MOST_CHARACTERS) {
    const message = `The document has ${text.length} characters, the most is ${MOST_CHARACTERS}`
    return refuse("too-large", message, { problems: [{ pointer: "", message }] })
  }
  if (!text.isWellFormed()) return wrong("The document has a broken character")
  const json = readJson(text)
  if ("fault" in json) {
    const { line, column, message } = json.fault
    return wrong(`Line ${line}, column ${column}: ${message}`)
  }
  return isObject(json.value) ? json.value : wrong("The document is no JSON object")
}

function wrong(message: string): RequestError {
  return refuse("invalid", message, { problems: [{ pointer: "", message }] })
}

/** The steps of a document; what is no step is left out. */
export function draftSteps(document: Fields, known: Known): readonly DraftStep[] {
  const steps = Array.isArray(document.steps) ? (document.steps as readonly unknown[]) : []
  return steps.flatMap((step, i) => {
    if (!isObject(step)) return []
    const use = typeof step.use === "string" ? step.use : undefined
    const component = use === undefined ? undefined : known.get(use)
    const id = typeof step.id === "string" ? step.id : ""
    return [{ id, pointer: `/steps/${i}`, use, component, config: isObject(step.config) ? step.config : {} }]
  })
}

/** What keeps a document from being finished, as far as it can be told without asking any system. */
export function draftFaults(document: Fields, known: Known): readonly FlowProblem[] {
  const shape = decodeConfig(flowSchema, document)
  const faults: FlowProblem[] = "problems" in shape ? [...shape.problems] : []
  for (const { id, pointer, use, component, config } of draftSteps(document, known)) {
    if (use === undefined) continue
    if (component === undefined || component.kind === "database") {
      const near = known.nearest(use, ["input", "transform", "router", "output"])
      faults.push({
        ...{ step: id, pointer: `${pointer}/use`, message: `Step "${id}" uses an unknown component: "${use}"` },
        ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
      })
      continue
    }
    const decoded = decodeConfig(component.config, config)
    if (!("problems" in decoded)) continue
    for (const { pointer: at, message, hint } of decoded.problems) {
      // What becomes of a template is known only when a run begins.
      if (hasTemplate(valueAt(config, at))) continue
      const more = hint === undefined ? {} : { hint }
      faults.push({ step: id, pointer: `${pointer}/config${at}`, message: `Step "${id}": ${message}`, ...more })
    }
  }
  return faults
}

export function hasTemplate(value: unknown): boolean {
  return typeof value === "string" && /\$[{[]/.test(value)
}

function valueAt(value: unknown, pointer: string): unknown {
  const keys = pointer === "" ? [] : pointer.slice(1).split("/")
  return keys.reduce<unknown>((inner, part) => {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~")
    if (Array.isArray(inner)) return inner[Number(key)]
    return isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined
  }, value)
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
