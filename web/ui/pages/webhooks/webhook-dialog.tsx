import { useState } from "react"
import type { ShownWebhook, WebhookDraft } from "../../../../core/server/triggers/webhooks.ts"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRead } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { CheckField, FieldError, TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"

/** Makes or changes a webhook; a new one comes with its secret. */
export function WebhookDialog({
  webhook,
  close,
  done,
}: {
  readonly webhook?: ShownWebhook
  close(): void
  done(secret: string | undefined): void
}) {
  const [form, setForm] = useState({
    name: webhook?.name ?? "",
    url: webhook?.url ?? "https://",
    flow: webhook?.flow ?? "",
    events: (webhook?.events ?? ["run.failed"]) as readonly string[],
    paused: webhook?.paused ?? false,
  })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const flows = useRead("GET /flows", { query: { limit: 200 } })
  const { busy, problem, submit } = useSubmit(async () => {
    // The choices below are the events that there are.
    const events = form.events as WebhookDraft["events"]
    const body = { ...form, name: form.name.trim(), url: form.url.trim(), flow: form.flow || null, events }
    if (webhook) {
      await ask("PUT /webhooks/:id", { params: { id: webhook.id }, body: { ...body, version: webhook.version } })
      done(undefined)
    } else done((await ask("POST /webhooks", { body })).secret)
    close()
  })
  const eventsError = fieldError(problem, "/events")
  return (
    <Dialog title={webhook ? `Change ${webhook.name}` : "New webhook"} close={close}>
      <ProblemNotice problem={problem} shown={(pointer) => /^\/(name|url|flow|events)/.test(pointer)} />
      <TextField
        label="Name"
        value={form.name}
        change={(name) => set({ name })}
        error={fieldError(problem, "/name")}
        autoFocus
      />
      <TextField
        label="Address"
        hint="Must be https, and reachable from outside: addresses of this machine and of private networks are refused unless the settings allow them."
        value={form.url}
        change={(url) => set({ url })}
        error={fieldError(problem, "/url")}
        inputMode="url"
        spellCheck={false}
        className="mono"
      />
      <TextField
        label="Flow"
        optional
        hint="Empty: runs of every flow."
        value={form.flow}
        change={(flow) => set({ flow })}
        error={fieldError(problem, "/flow")}
        list="flow-names"
      />
      <datalist id="flow-names">
        {flows.data?.items.map(({ id, name }) => (
          <option key={id} value={name} />
        ))}
      </datalist>
      <div className="field">
        <Choices many label="Tell of" options={EVENTS} value={form.events} change={(events) => set({ events })} />
        {eventsError && <FieldError text={eventsError} />}
      </div>
      <CheckField
        label="Paused"
        hint="Nothing is sent while it is."
        value={form.paused}
        change={(paused) => set({ paused })}
      />
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" busy={busy} onClick={() => void submit()}>
          {webhook ? "Save" : "Add"}
        </Button>
      </div>
    </Dialog>
  )
}

const EVENTS = [
  ["run.succeeded", "Successes"],
  ["run.failed", "Failures"],
  ["run.cancelled", "Cancelled runs"],
  ["run.skipped", "Skipped runs"],
  ["run.interrupted", "Interrupted runs"],
] as const
