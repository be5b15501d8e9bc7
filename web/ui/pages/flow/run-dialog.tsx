import { useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { Button } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { TextField } from "../../parts/field.tsx"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { navigate } from "../../route/router.tsx"
import { useParameters } from "./parameters-panel.tsx"
import type { Occasion } from "./question-bar.tsx"

/** Starts the saved flow. */
export function RunDialog({
  flow,
  isChanged,
  occasion: first,
  close,
}: {
  readonly flow: SavedFlow
  readonly isChanged: boolean
  readonly occasion: Occasion
  close(): void
}) {
  const [occasion, setOccasion] = useState(first)
  const [given, setGiven] = useState<Readonly<Record<string, string>>>({})
  const found = useParameters(flow.document, occasion)
  const declared = found.data?.parameters.filter(({ source }) => source !== "builtin") ?? []
  const names = declaredNames(flow.document)
  const { busy, problem, submit } = useSubmit(async () => {
    const { environment, bizdate } = occasion
    const parameters = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""))
    const body = { environment, parameters, ...(bizdate !== "" && { bizdate }) }
    const job = await ask("POST /flows/:name/runs", { params: { name: flow.name }, body })
    close()
    navigate(`/runs/${job.id}`)
  })
  return (
    <Dialog title={`Run ${flow.name}`} close={close}>
      {isChanged && (
        <Notice tone="warn" title={`Version ${flow.version} runs, as it is saved`}>
          Your changes in the editor are not part of it. Save them first, if they should be.
        </Notice>
      )}
      <ProblemNotice
        problem={problem}
        shown={(pointer) => pointer.startsWith("/parameters/") || pointer === "/bizdate"}
      />
      <Choices
        label="Environment"
        options={[
          ["prod", "Production"],
          ["dev", "Development"],
        ]}
        value={[occasion.environment]}
        change={([environment]) => setOccasion({ ...occasion, environment: environment === "dev" ? "dev" : "prod" })}
      />
      <TextField
        label="Business date"
        type="date"
        hint="The day whose data is moved. Empty: yesterday."
        value={occasion.bizdate}
        change={(bizdate) => setOccasion({ ...occasion, bizdate })}
        error={fieldError(problem, "/bizdate")}
      />
      {names.map((name) => {
        const known = declared.find((one) => one.name === name)
        return (
          <TextField
            key={name}
            label={name}
            optional={known !== undefined}
            hint={known ? `${known.type}; left empty it is ${known.value === "" ? "empty" : known.value}` : undefined}
            value={given[name] ?? ""}
            change={(value) => setGiven({ ...given, [name]: value })}
            error={fieldError(problem, `/parameters/${name}`)}
            className="mono"
          />
        )
      })}
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" icon="runs" busy={busy} onClick={() => void submit()}>
          Run
        </Button>
      </div>
    </Dialog>
  )
}

function declaredNames(document: string): readonly string[] {
  try {
    const { parameters } = JSON.parse(document) as { readonly parameters?: object } // saved, so it is an object
    return Object.keys(parameters ?? {})
  } catch {
    return []
  }
}
