import type { ParameterValue } from "../../contract/index.ts"
import { type ConfigPlace, isSql, itemPlace, propertyPlace, rootPlace, typesOf } from "./config-place.ts"
import { isRecord } from "./declaration.ts"
import { shortened } from "./discover.ts"
import { type Fault, isFault, type Outcome, type ParameterProblem, pointerTo, problemOf } from "./problem.ts"
import { scanTemplates, writtenTemplate } from "./template.ts"

export interface SubstituteOptions {
  /** The component's `config`. Texts of `format: "sql"` stay as they are, for `bindSql`. */
  readonly schema?: unknown
  /** Where `value` stands in the flow document, for messages, such as `/steps/0/config`. */
  readonly pointer?: string
}

/**
 * A configuration with every template replaced by its value, as a copy. A text that is one template and nothing else
 * becomes a number or a boolean where the schema takes no text, if the parameter's type says so and nothing is lost.
 * A template without a value is a problem: no `${…}` is ever left over, except in SQL.
 */
export function substitute(
  value: unknown,
  values: Readonly<Record<string, ParameterValue>>,
  options: SubstituteOptions = {},
): Outcome<{ readonly value: unknown }> {
  const problems: ParameterProblem[] = []
  const replaced = replace(value, rootPlace(options.schema), options.pointer ?? "", { values, problems })
  return problems.length > 0 ? { problems } : { value: replaced }
}

/** The value of a template, or why there is none. */
export function lookUp(values: Readonly<Record<string, ParameterValue>>, key: string): ParameterValue | Fault {
  const value = Object.hasOwn(values, key) ? values[key] : undefined
  return value ?? { fault: `"${writtenTemplate(key)}" has no value`, hint: "Give it a value, or declare a default" }
}

interface Substitution {
  readonly values: Readonly<Record<string, ParameterValue>>
  readonly problems: ParameterProblem[]
}

function replace(value: unknown, place: ConfigPlace, pointer: string, run: Substitution): unknown {
  if (typeof value === "string") return isSql(place) ? value : replaceText(value, place, pointer, run)
  if (Array.isArray(value)) {
    return value.map((item, i) => replace(item, itemPlace(place, i), pointerTo(pointer, i), run))
  }
  if (!isRecord(value)) return value
  const entries = Object.entries(value).map(([key, item]) => {
    const at = pointerTo(pointer, key)
    refuseKey(key, at, run)
    return [key, replace(item, propertyPlace(place, key), at, run)] as const
  })
  return Object.fromEntries(entries)
}

function replaceText(text: string, place: ConfigPlace, pointer: string, run: Substitution): unknown {
  const refuse = (fault: Fault, reason: ParameterProblem["reason"]) => {
    run.problems.push(problemOf(`Cannot resolve "${shortened(text)}"`, fault, { reason, pointer }))
    return text
  }
  const pieces = scanTemplates(text)
  if (isFault(pieces)) return refuse(pieces, "template")
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined && typeof only !== "string") {
    const value = lookUp(run.values, only.key)
    if (isFault(value)) return refuse(value, "missing")
    const typed = typedValue(value, typesOf(place))
    return typeof typed === "object" ? refuse(typed, "value") : typed
  }
  let replaced = ""
  for (const piece of pieces) {
    const value = typeof piece === "string" ? { value: piece } : lookUp(run.values, piece.key)
    if (isFault(value)) return refuse(value, "missing")
    replaced += value.value
  }
  return replaced
}

/** The value as the JSON type that the place takes. */
function typedValue(
  { type, value }: ParameterValue,
  types: ReadonlySet<string> | undefined,
): string | number | boolean | Fault {
  if (types === undefined || types.has("string")) return value
  const wanted = [...types].join(" or ")
  if (types.has("boolean") && type === "boolean") return value === "true"
  const numeric = (type === "integer" && types.has("integer")) || (isNumeric(type) && types.has("number"))
  if (!numeric) {
    return {
      fault: `the option takes ${wanted}, and the parameter is of type ${type}`,
      hint: "Declare the parameter with the type of the option",
    }
  }
  const number = Number(value)
  const exact = Number.isSafeInteger(number) || String(number) === value.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "")
  return exact && Math.abs(number) <= Number.MAX_SAFE_INTEGER
    ? number
    : { fault: `${value} cannot be held exactly by a JSON number`, hint: "Use a smaller value" }
}

function isNumeric(type: ParameterValue["type"]): boolean {
  return type === "integer" || type === "decimal"
}

function refuseKey(key: string, pointer: string, run: Substitution): void {
  const pieces = scanTemplates(key)
  if (!isFault(pieces) && pieces.every((piece) => typeof piece === "string")) return
  const fault = { fault: "a template stands in a name, and only values have templates", hint: "Write the name out" }
  run.problems.push(problemOf(`Cannot resolve "${shortened(key)}"`, fault, { reason: "template", pointer }))
}
