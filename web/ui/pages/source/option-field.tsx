import type { ReactNode } from "react"
import { Button } from "../../parts/button.tsx"
import { AreaField, CheckField, FieldError, SelectField, TextField } from "../../parts/field.tsx"
import { InlineText } from "../../parts/inline-text.tsx"
import { kindOf, type OptionSchema } from "./config-schema.ts"

/** One option of a plugin, drawn from its schema. */
export function OptionField({
  name,
  option,
  value,
  change,
  error,
  isRequired,
  isKept = false,
  forget,
}: {
  readonly name: string
  readonly option: OptionSchema
  readonly value: string | boolean
  change(value: string | boolean): void
  readonly error: string | undefined
  readonly isRequired: boolean
  /** Of a secret: there is one already. */
  readonly isKept?: boolean
  /** Of a secret that is there: takes it away. */
  forget?(): void
}) {
  const hint: ReactNode = option.description && <InlineText text={option.description} />
  const kind = kindOf(option)
  const shared = { label: labelOf(name), hint, error, optional: !isRequired && kind !== "choice" }
  if (kind === "boolean")
    return (
      <div className="field">
        <CheckField label={labelOf(name)} hint={hint} value={value === true} change={change} />
        {error && <FieldError text={error} />}
      </div>
    )
  const text = String(value)
  if (kind === "choice") return <SelectField {...shared} value={text} change={change} options={choicesOf(option)} />
  if (kind === "json")
    return <AreaField {...shared} value={text} change={change} className="mono" rows={4} spellCheck={false} />
  if (kind === "secret")
    return (
      <div className="secret">
        <TextField
          {...shared}
          type="password"
          value={text}
          change={change}
          placeholder={isKept ? "Kept; type to replace it" : ""}
          autoComplete="new-password"
        />
        {isKept && !isRequired && forget && (
          <Button look="plain" onClick={forget}>
            Remove it
          </Button>
        )}
      </div>
    )
  if (isLong(name))
    return <AreaField {...shared} value={text} change={change} className="mono" rows={4} spellCheck={false} />
  return (
    <TextField
      {...shared}
      value={text}
      change={change}
      placeholder={exampleOf(option)}
      spellCheck={false}
      {...(kind === "number" && { inputMode: "numeric" as const })}
    />
  )
}

/** `tlsCa` as “TLS CA”: what the option is called, for people; its own name stands in the documentation. */
function labelOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").split(" ")
  return words
    .map((word, nth) =>
      ACRONYMS.has(word.toLowerCase())
        ? word.toUpperCase()
        : nth === 0
          ? word.charAt(0).toUpperCase() + word.slice(1)
          : word.toLowerCase(),
    )
    .join(" ")
}

function choicesOf({ enum: listed = [] }: OptionSchema): readonly (readonly [string, string])[] {
  return listed.map((one) => [String(one), String(one)])
}

function exampleOf({ examples = [], default: usual }: OptionSchema): string {
  const [example] = examples
  if (typeof example === "string" || typeof example === "number") return `${example}`
  return usual === undefined ? "" : String(usual)
}

/** Certificates and keys have many lines. */
function isLong(name: string): boolean {
  return /(ca|cert|certificate|key|pem)$/i.test(name) && !/primary/i.test(name)
}

const ACRONYMS: ReadonlySet<string> = new Set(["tls", "ca", "url", "ssl", "id", "sql", "http", "ssh", "uri"])
