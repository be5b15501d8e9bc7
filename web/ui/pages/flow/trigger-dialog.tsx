import { useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import type { NewTrigger } from "../../../../core/server/triggers/triggers.ts"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { Button } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { CheckField, TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"

/** Makes a trigger. */
export function TriggerDialog({
  flow,
  close,
  done,
}: {
  readonly flow: SavedFlow
  close(): void
  done(made: NewTrigger): void
}) {
  const [form, setForm] = useState({ name: "", signed: false, perMinute: "60", environment: "prod" })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const { busy, problem, submit } = useSubmit(async () => {
    const made = await ask("POST /flows/:name/triggers", {
      params: { name: flow.name },
      body: {
        name: form.name.trim(),
        signed: form.signed,
        replayWindowMs: 300_000,
        requestsPerMinute: Number(form.perMinute),
        environment: form.environment === "dev" ? "dev" : "prod",
      },
    })
    done(made)
    close()
  })
  return (
    <Dialog title="Add a trigger" close={close}>
      <ProblemNotice problem={problem} shown={(pointer) => /^\/(name|requestsPerMinute)$/.test(pointer)} />
      <TextField
        label="Name"
        hint="Who or what will use it."
        value={form.name}
        change={(name) => set({ name })}
        error={fieldError(problem, "/name")}
        autoFocus
      />
      <TextField
        label="Requests a minute"
        type="number"
        min={1}
        value={form.perMinute}
        change={(perMinute) => set({ perMinute })}
        error={fieldError(problem, "/requestsPerMinute")}
      />
      <Choices
        label="Environment"
        options={[
          ["prod", "Production"],
          ["dev", "Development"],
        ]}
        value={[form.environment]}
        change={([environment = "prod"]) => set({ environment })}
      />
      <CheckField
        label="Require a signature"
        hint="Requests must be signed with a second secret and be no older than five minutes, so that nobody can send one again."
        value={form.signed}
        change={(signed) => set({ signed })}
      />
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" busy={busy} onClick={() => void submit()}>
          Add
        </Button>
      </div>
    </Dialog>
  )
}
