import { AreaField, CheckField, FieldError, TextField } from "../../parts/field.tsx"
import { type SettingSchema, settingName } from "./settings-schema.ts"

/** One setting, drawn from its schema. */
export function SettingField({
  name,
  schema,
  value,
  change,
  error,
}: {
  readonly name: string
  readonly schema: SettingSchema
  readonly value: unknown
  change(value: unknown): void
  readonly error: string | undefined
}) {
  const label = settingName(name)
  const hint = schema.description ?? schema.allOf?.find(({ description }) => description)?.description
  if (typeof value === "boolean")
    return (
      <div className="field">
        <CheckField label={label} hint={hint} value={value} change={change} />
        {error && <FieldError text={error} />}
      </div>
    )
  if (Array.isArray(value))
    return (
      <AreaField
        {...{ label, error }}
        hint={`${hint ?? ""} One a line.`}
        value={value.join("\n")}
        // An empty line stays while somebody types behind it; the last one is left out when it is sent.
        change={(text) => change(text.split("\n"))}
        className="mono"
        rows={Math.min(6, Math.max(2, value.length + 1))}
        spellCheck={false}
      />
    )
  const isNumber = typeof value === "number" || value === ""
  return (
    <TextField
      {...{ label, hint, error }}
      value={String(value ?? "")}
      change={(text) => change(isNumber && text !== "" && typeof value !== "string" ? Number(text) : text)}
      {...(typeof value === "number" && { type: "number", min: schema.minimum, max: schema.maximum })}
      spellCheck={false}
    />
  )
}
