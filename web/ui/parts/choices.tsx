import { useId } from "react"
import type { Option } from "./field.tsx"

/** A few things to choose from, all of them in sight: one, or with `many` any number. */
export function Choices({
  label,
  options,
  value,
  change,
  many = false,
  quiet = false,
}: {
  readonly label: string
  readonly options: readonly Option[]
  readonly value: readonly string[]
  change(value: readonly string[]): void
  readonly many?: boolean
  /** The label is for those who cannot see. */
  readonly quiet?: boolean
}) {
  const name = useId()
  const toggle = (one: string) => {
    if (!many) return change([one])
    change(value.includes(one) ? value.filter((other) => other !== one) : [...value, one])
  }
  return (
    <fieldset className={quiet ? undefined : "field"}>
      <legend className={quiet ? "hidden" : undefined}>{label}</legend>
      <div className="choices">
        {options.map(([one, text]) => (
          <label key={one} className="choice">
            <input
              type={many ? "checkbox" : "radio"}
              name={name}
              checked={value.includes(one)}
              onChange={() => toggle(one)}
            />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
