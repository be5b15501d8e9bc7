import { useState } from "react"
import { fieldError, type Problem } from "../../api/problem.ts"
import { Button } from "../../parts/button.tsx"
import { AreaField, CheckField, TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { Tabs } from "../../parts/tabs.tsx"
import { type ConfigSchema, isSecret } from "./config-schema.ts"
import { ConnectionTest } from "./connection-test.tsx"
import { OptionField } from "./option-field.tsx"
import type { SourceForm } from "./source-draft.ts"

/** Name, description and connections of a data source; the connections are drawn from the schema of its type. */
export function SourceFields({
  form,
  set,
  schema,
  kept,
  problem,
  isNew,
}: {
  readonly form: SourceForm
  set(part: Partial<SourceForm>): void
  readonly schema: ConfigSchema
  /** Secrets that are there already, by environment. */
  readonly kept: { readonly prod: readonly string[]; readonly dev: readonly string[] }
  readonly problem: Problem | undefined
  readonly isNew: boolean
}) {
  const [environment, setEnvironment] = useState<"prod" | "dev">("prod")
  const bad = (one: "prod" | "dev") => fieldError(problem, `/${one}`) !== undefined
  return (
    <>
      <ProblemNotice problem={problem} shown={(pointer) => isShown(pointer, schema)} />
      <TextField
        label="Name"
        hint={isNew ? "Flows call it by this name." : "Flows that use it name it; another name breaks them."}
        value={form.name}
        change={(name) => set({ name })}
        error={fieldError(problem, "/name")}
        required
        spellCheck={false}
      />
      <AreaField
        label="Description"
        optional
        value={form.description}
        change={(description) => set({ description })}
        error={fieldError(problem, "/description")}
        rows={2}
      />
      <TextField
        label="Runs at the same time"
        optional
        hint="How many runs may use it at once. Empty: no limit."
        type="number"
        min={1}
        value={form.concurrency}
        change={(concurrency) => set({ concurrency })}
        error={fieldError(problem, "/concurrency")}
      />
      <CheckField
        label="Another connection for development"
        hint="Without one, development uses the connection of production."
        value={form.hasDev}
        change={(hasDev) => {
          set({ hasDev })
          setEnvironment(hasDev ? "dev" : "prod")
        }}
      />
      <div>
        <Tabs
          label="Environment"
          current={environment}
          change={(id) => setEnvironment(id === "dev" ? "dev" : "prod")}
          tabs={[
            { id: "prod", text: bad("prod") ? "Production (see below)" : "Production" },
            ...(form.hasDev ? [{ id: "dev", text: bad("dev") ? "Development (see below)" : "Development" }] : []),
          ]}
        >
          <Connection key={environment} {...{ environment, form, set, schema, kept, problem }} />
        </Tabs>
      </div>
    </>
  )
}

function Connection({
  environment,
  form,
  set,
  schema,
  kept,
  problem,
}: Omit<Parameters<typeof SourceFields>[0], "isNew"> & { readonly environment: "prod" | "dev" }) {
  const texts = form[environment]
  const removed = form.removed[environment]
  const setRemoved = (name: string, isGone: boolean) => {
    const others = removed.filter((one) => one !== name)
    set({ removed: { ...form.removed, [environment]: isGone ? [...others, name] : others } })
  }
  return (
    <div className="form">
      {Object.entries(schema.properties ?? {}).map(([name, option]) =>
        isSecret(option) && removed.includes(name) ? (
          <div key={name} className="row">
            <span className="muted">“{name}” is removed when you save.</span>
            <Button look="plain" onClick={() => setRemoved(name, false)}>
              Keep it
            </Button>
          </div>
        ) : (
          <OptionField
            key={name}
            name={name}
            option={option}
            value={texts[name] ?? ""}
            change={(value) => set({ [environment]: { ...texts, [name]: value } })}
            error={fieldError(problem, `/${environment}/${name}`)}
            isRequired={schema.required?.includes(name) ?? false}
            isKept={kept[environment].includes(name)}
            forget={() => setRemoved(name, true)}
          />
        ),
      )}
      <ConnectionTest form={form} schema={schema} environment={environment} />
    </div>
  )
}

function isShown(pointer: string, schema: ConfigSchema): boolean {
  const [, first = "", second = ""] = pointer.split("/")
  if (first === "prod" || first === "dev") return Object.hasOwn(schema.properties ?? {}, second)
  return ["name", "description", "concurrency"].includes(first)
}
