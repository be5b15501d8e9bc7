import { useState } from "react"
import { type Answer, ask, type Given } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { Button } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { FieldError, SelectField, TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { useMe } from "../../shell/session.tsx"

/** Makes a token. */
export function TokenDialog({
  close,
  done,
}: {
  close(): void
  done(secret: Answer<"POST /me/tokens">["secret"]): void
}) {
  const { permissions } = useMe()
  const [form, setForm] = useState({
    name: "",
    days: "90",
    scopes: ["flows.read", "runs.read", "runs.start"] as readonly string[],
  })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const { busy, problem, submit } = useSubmit(async () => {
    const expiresAt = form.days === "" ? null : Date.now() + Number(form.days) * 86_400_000
    // Chosen among the permissions that the session was told.
    const scopes = form.scopes as Given<"POST /me/tokens">["body"]["scopes"]
    const { secret } = await ask("POST /me/tokens", { body: { name: form.name.trim(), scopes, expiresAt } })
    done(secret)
    close()
  })
  const scopesError = fieldError(problem, "/scopes")
  return (
    <Dialog title="New token" close={close}>
      <ProblemNotice problem={problem} shown={(pointer) => /^\/(name|scopes|expiresAt)/.test(pointer)} />
      <TextField
        label="Name"
        hint="What will use it."
        value={form.name}
        change={(name) => set({ name })}
        error={fieldError(problem, "/name")}
        autoFocus
      />
      <SelectField
        label="Expires"
        value={form.days}
        change={(days) => set({ days })}
        options={[
          ["7", "In a week"],
          ["30", "In 30 days"],
          ["90", "In 90 days"],
          ["365", "In a year"],
          ["", "Never"],
        ]}
        error={fieldError(problem, "/expiresAt")}
      />
      <div className="field">
        <Choices
          many
          label="Scopes"
          options={permissions.map((one) => [one, one])}
          value={form.scopes}
          change={(scopes) => set({ scopes })}
        />
        {scopesError && <FieldError text={scopesError} />}
      </div>
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" busy={busy} onClick={() => void submit()}>
          Make the token
        </Button>
      </div>
    </Dialog>
  )
}
