import { type FormEvent, useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { ask } from "../../api/client.ts"
import { fieldError, problemOf } from "../../api/problem.ts"
import { useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { useDraft } from "../../parts/draft.ts"
import { AreaField, SelectField, TextField } from "../../parts/field.tsx"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { Facts, Panel } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { Time } from "../../parts/time.tsx"
import { toast } from "../../parts/toast.tsx"
import { navigate } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { useUserName } from "../../shell/user-name.ts"
import { draftOf, type PropertiesDraft, propertiesBody } from "./properties-draft.ts"

/** How a flow is called and how it runs, beside its document. */
export function PropertiesForm({ flow }: { readonly flow: SavedFlow }) {
  const may = useMay()
  const owner = useUserName(flow.owner)
  const refresh = useRefresh()
  const saved = draftOf(flow)
  const draft = useDraft<PropertiesDraft>(`properties.${flow.id}`, saved)
  const form = draft.value
  const set = (part: Partial<PropertiesDraft>) => draft.change({ ...form, ...part })
  const [isStale, setStale] = useState(false)
  const { busy, problem, submit } = useSubmit(async (version: number) => {
    const { document } = flow
    const body = { ...propertiesBody(form), document, remark: "Properties changed", version }
    try {
      const after = await ask("PUT /flows/:name", { params: { name: flow.name }, body })
      draft.discard()
      setStale(false)
      toast("Properties saved")
      if (after.name !== flow.name) navigate(`/flows/${encodeURIComponent(after.name)}/properties`, { replace: true })
      await refresh("/flows")
    } catch (cause) {
      if (problemOf(cause).status === 409) {
        setStale(true)
        await refresh("/flows")
      }
      throw cause
    }
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit(form.base)
  }
  const error = (pointer: string) => fieldError(problem, pointer)
  return (
    <div className="stack wide">
      <form className="form" onSubmit={send}>
        {isStale && (
          <Notice
            tone="warn"
            title={`Version ${flow.version} was saved meanwhile`}
            action={<Button onClick={() => void submit(flow.version)}>Save mine over it</Button>}
          >
            {changesText(form, saved)}
          </Notice>
        )}
        {!isStale && <ProblemNotice problem={problem} shown={(pointer) => pointer !== "" && pointer !== "/document"} />}
        <fieldset disabled={!may("flows.write")} className="form">
          <div className="pair">
            <TextField label="Name" value={form.name} change={(name) => set({ name })} error={error("/name")} />
            <TextField
              label="Folder"
              optional
              hint="Such as sales/daily."
              value={form.folder}
              change={(folder) => set({ folder })}
              error={error("/folder")}
            />
          </div>
          <AreaField
            label="Description"
            optional
            value={form.description}
            change={(description) => set({ description })}
            error={error("/description")}
          />
          <div className="pair">
            <SelectField
              label="Priority"
              value={form.priority}
              change={(priority) => set({ priority })}
              options={Array.from({ length: 9 }, (_, nth) => [String(nth + 1), PRIORITIES[nth + 1] ?? String(nth + 1)])}
              error={error("/properties/priority")}
            />
            <TextField
              label="Runs at the same time"
              type="number"
              min={1}
              value={form.concurrency}
              change={(concurrency) => set({ concurrency })}
              error={error("/properties/concurrency")}
            />
          </div>
          <div className="pair">
            <TextField
              label="Timeout in hours"
              hint="0 to 168; 0: no limit."
              type="number"
              min={0}
              max={168}
              step="0.01"
              value={form.timeoutHours}
              change={(timeoutHours) => set({ timeoutHours })}
              error={error("/properties/timeoutHours")}
            />
            <SelectField
              label="When the process dies"
              value={form.onCrash}
              change={(onCrash) => set({ onCrash })}
              options={[
                ["resume", "Go on with the run"],
                ["fail", "Leave it to people"],
              ]}
              error={error("/properties/onCrash")}
            />
          </div>
          <div className="pair">
            <TextField
              label="Retries after a failure"
              hint="0 to 10."
              type="number"
              min={0}
              max={10}
              value={form.retries}
              change={(retries) => set({ retries })}
              error={error("/properties/retries")}
            />
            <TextField
              label="Minutes before each retry"
              hint="1 to 60."
              type="number"
              min={1}
              max={60}
              value={form.retryMinutes}
              change={(retryMinutes) => set({ retryMinutes })}
              error={error("/properties/retryMinutes")}
            />
          </div>
        </fieldset>
        {may("flows.write") && (
          <div className="actions">
            <Button type="submit" look="primary" busy={busy} disabled={!draft.isChanged}>
              Save properties
            </Button>
            <Button look="plain" disabled={!draft.isChanged} onClick={draft.discard}>
              Discard
            </Button>
          </div>
        )}
      </form>
      <Panel title="About this flow">
        <Facts
          items={[
            ["Owner", owner],
            ["Made", <Time key="c" at={flow.createdAt} />],
            ["Last changed", <Time key="u" at={flow.updatedAt} />],
            ["By", flow.updatedBy],
            [
              "SHA-256 of the document",
              <code key="h" className="wrap">
                {flow.hash}
              </code>,
            ],
          ]}
        />
      </Panel>
    </div>
  )
}

function changesText(mine: PropertiesDraft, theirs: PropertiesDraft): string {
  const keys = (Object.keys(theirs) as (keyof PropertiesDraft)[]).filter(
    (key) => key !== "base" && mine[key] !== theirs[key],
  ) // its own keys
  return keys.length === 0
    ? "Its properties are the same as yours."
    : keys.map((key) => `${key}: now “${theirs[key]}”, yours “${mine[key]}”`).join("; ")
}

const PRIORITIES: Readonly<Record<number, string>> = { 1: "1, first", 5: "5, usual", 9: "9, last" }
