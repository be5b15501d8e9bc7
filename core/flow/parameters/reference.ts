import { isName, nameFault } from "./declaration.ts"
import { type Fault, isFault } from "./problem.ts"
import { writtenTemplate } from "./template.ts"
import { parseTimeExpression, type TimeExpression } from "./time-expression.ts"

/** What a template's key refers to. */
export type Reference =
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "time"; readonly base: "business" | "scheduled"; readonly expression: TimeExpression }

/**
 * Decides what a key means. `$[…]` is always the scheduled time. `${…}` is a parameter when one of that name is declared
 * or built in (case does not count), so a declared `dd` hides the format `dd`; otherwise a date format when it is made of
 * date letters; otherwise an undeclared parameter. What is given at run time never changes what a document means.
 */
export function readReference(key: string, known: (lowerName: string) => boolean): Reference | Fault {
  if (key.startsWith("[")) return timeReference(key.slice(1, -1), "scheduled", key)
  if (key === "") return { fault: "nothing stands between the braces", hint: "Write $${} for the text" }
  if (isName(key)) {
    if (known(key.toLowerCase())) return { kind: "parameter", name: key }
    if (looksLikeFormat(key)) return timeReference(key, "business", key)
    const fault = nameFault(key)
    return fault === undefined ? { kind: "parameter", name: key } : { fault, hint: "Rename the parameter" }
  }
  const name = /^([A-Za-z_][A-Za-z0-9_]*)\s*[+-]\s*\d/.exec(key)?.[1]
  if (name !== undefined && (known(name.toLowerCase()) || !looksLikeFormat(name))) {
    const format = name.toLowerCase() === "bizdate" ? "yyyyMMdd" : "yyyyMMdd or the like"
    return { fault: "an offset follows a name", hint: `Write a date format before the offset, ${format}` }
  }
  return timeReference(key, "business", key)
}

function timeReference(text: string, base: "business" | "scheduled", key: string): Reference | Fault {
  const expression = parseTimeExpression(text)
  if (!isFault(expression)) return { kind: "time", base, expression }
  const literal = `$${writtenTemplate(key)}`
  return { ...expression, hint: `${expression.hint ?? "Write a shorter one"}, or ${literal} for the text itself` }
}

/** True for words made of date letters only, in any case: `yyyymmdd` is a misspelt format, not a parameter. */
function looksLikeFormat(word: string): boolean {
  return /^_*(?:(?:yyyy|yy|mm|mi|dd|hh|sss|ss)_*)+$/i.test(word)
}
