import { Choices } from "../../parts/choices.tsx"
import { AreaField, SelectField, TextField } from "../../parts/field.tsx"
import { RecurrenceFields } from "./recurrence-fields.tsx"
import type { ScheduleForm } from "./schedule-draft.ts"

export function ScheduleFields({
  form,
  set,
  error,
}: {
  readonly form: ScheduleForm
  set(part: Partial<ScheduleForm>): void
  error(pointer: string): string | undefined
}) {
  return (
    <>
      <TextField label="Name" value={form.name} change={(name) => set({ name })} error={error("/name")} required />
      <RecurrenceFields form={form} set={set} error={error("/recurrence")} />
      <TextField
        label="Time zone"
        hint="In a night that skips an hour, what falls into it fires once; in a night that has an hour twice, it fires once as well."
        value={form.timeZone}
        change={(timeZone) => set({ timeZone })}
        error={error("/timeZone")}
        list="time-zones"
        spellCheck={false}
      />
      <datalist id="time-zones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <div className="pair">
        <TextField
          label="First day"
          optional
          type="date"
          value={form.effectiveFrom}
          change={(effectiveFrom) => set({ effectiveFrom })}
          error={error("/effectiveFrom")}
        />
        <TextField
          label="Last day"
          optional
          type="date"
          value={form.effectiveTo}
          change={(effectiveTo) => set({ effectiveTo })}
          error={error("/effectiveTo")}
        />
      </div>
      <div className="pair">
        <SelectField
          label="What a firing does"
          value={form.mode}
          change={(mode) => set({ mode: mode === "dry-run" || mode === "skip" ? mode : "normal" })}
          options={[
            ["normal", "Runs the flow"],
            ["dry-run", "Records a success, moves no row"],
            ["skip", "Records that nothing was run"],
          ]}
          error={error("/mode")}
        />
        <SelectField
          label="Firings missed while no server ran"
          value={form.missed}
          change={(missed) => set({ missed: missed === "skip" || missed === "all" ? missed : "once" })}
          options={[
            ["once", "Run the last one"],
            ["all", "Run each of them"],
            ["skip", "Run none of them"],
          ]}
          error={error("/missed")}
        />
      </div>
      <Choices
        label="Environment"
        options={[
          ["prod", "Production"],
          ["dev", "Development"],
        ]}
        value={[form.environment]}
        change={([environment]) => set({ environment: environment === "dev" ? "dev" : "prod" })}
      />
      <AreaField
        label="Parameters"
        optional
        hint="One a line, as name=value. Those of the flow that are left out have their own values."
        value={parametersText(form.parameters)}
        change={(text) => set({ parameters: parametersOf(text) })}
        error={error("/parameters")}
        className="mono"
        spellCheck={false}
      />
    </>
  )
}

/** A line without `=` is a name that still waits for its value. */
function parametersOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=")
      return line === "" ? [] : [at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)]]
    }),
  )
}

function parametersText(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n")
}
