import { Choices } from "../../parts/choices.tsx"

/** For which environment and which business date somebody looks. */
export interface Occasion {
  readonly environment: "prod" | "dev"
  /** yyyy-mm-dd; empty: yesterday. */
  readonly bizdate: string
}

export function OccasionBar({ value, change }: { readonly value: Occasion; change(value: Occasion): void }) {
  return (
    <div className="row">
      <Choices
        quiet
        label="Environment"
        options={[
          ["prod", "Production"],
          ["dev", "Development"],
        ]}
        value={[value.environment]}
        change={([environment]) => change({ ...value, environment: environment === "dev" ? "dev" : "prod" })}
      />
      <label className="row">
        <span className="hidden">Business date</span>
        <input
          type="date"
          className="input occasion-date"
          title="Business date; empty: yesterday"
          value={value.bizdate}
          onChange={(event) => change({ ...value, bizdate: event.target.value })}
        />
      </label>
    </div>
  )
}

/** As the API takes it. */
export function occasionBody({ environment, bizdate }: Occasion): {
  readonly environment: "prod" | "dev"
  readonly bizdate?: string
} {
  return { environment, ...(bizdate !== "" && { bizdate }) }
}
