import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react"
import { Icon } from "./icon.tsx"

export interface FieldText {
  readonly label: string
  readonly hint?: ReactNode
  readonly error?: string | undefined
  readonly optional?: boolean
}

interface Wiring {
  readonly id: string
  readonly "aria-describedby"?: string
  readonly "aria-invalid"?: true
}

/** A label, an input, what it is for, and what is wrong with it, wired together for every reader. */
export function Field({ label, hint, error, optional, children }: FieldText & { children(wiring: Wiring): ReactNode }) {
  const id = useId()
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ")
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {optional && <span className="faint">optional</span>}
      </label>
      {children({ id, ...(described && { "aria-describedby": described }), ...(error && { "aria-invalid": true }) })}
      {error && <FieldError id={`${id}-error`} text={error} />}
      {hint && (
        <div id={`${id}-hint`} className="hint">
          {hint}
        </div>
      )}
    </div>
  )
}

export function FieldError({ id, text }: { readonly id?: string; readonly text: string }) {
  return (
    <div id={id} className="error" role="alert">
      <Icon name="warn" size={14} />
      <span className="wrap">{text}</span>
    </div>
  )
}

type Changed = { readonly value: string; change(value: string): void }

export function TextField({
  label,
  hint,
  error,
  optional,
  value,
  change,
  className = "",
  ...rest
}: FieldText & Changed & Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange">) {
  return (
    <Field label={label} hint={hint} error={error} optional={optional ?? false}>
      {(wiring) => (
        <input
          className={`input ${className}`}
          value={value}
          onChange={(event) => change(event.target.value)}
          autoComplete="off"
          {...rest}
          {...wiring}
        />
      )}
    </Field>
  )
}

export function AreaField({
  label,
  hint,
  error,
  optional,
  value,
  change,
  className = "",
  ...rest
}: FieldText & Changed & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "value" | "onChange">) {
  return (
    <Field label={label} hint={hint} error={error} optional={optional ?? false}>
      {(wiring) => (
        <textarea
          className={`input ${className}`}
          value={value}
          onChange={(event) => change(event.target.value)}
          {...rest}
          {...wiring}
        />
      )}
    </Field>
  )
}

export type Option = readonly [value: string, text: string]

export function SelectField({
  label,
  hint,
  error,
  optional,
  value,
  change,
  options,
  ...rest
}: FieldText &
  Changed & { readonly options: readonly Option[] } & Omit<
    SelectHTMLAttributes<HTMLSelectElement>,
    "value" | "onChange"
  >) {
  return (
    <Field label={label} hint={hint} error={error} optional={optional ?? false}>
      {(wiring) => (
        <select className="input" value={value} onChange={(event) => change(event.target.value)} {...rest} {...wiring}>
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function CheckField({
  label,
  hint,
  value,
  change,
  disabled = false,
}: {
  readonly label: string
  readonly hint?: ReactNode
  readonly value: boolean
  change(value: boolean): void
  readonly disabled?: boolean
}) {
  return (
    <label className="check">
      <input type="checkbox" checked={value} disabled={disabled} onChange={(event) => change(event.target.checked)} />
      <span>
        {label}
        {hint && <span className="hint muted small"> {hint}</span>}
      </span>
    </label>
  )
}
