import { type FormEvent, useState } from "react"
import { type Answer, ask, type Given } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { FailureNotice, ProblemNotice } from "../../parts/notice.tsx"
import { PageHead, Panel, Skeleton } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { toast } from "../../parts/toast.tsx"
import { useMay } from "../../shell/session.tsx"
import { SettingField } from "./setting-field.tsx"
import { type SettingGroup, useSettingsSchema } from "./settings-schema.ts"

type Settings = Answer<"GET /settings">

/** What administrators set while the server runs. */
export default function SettingsPage() {
  const settings = useRead("GET /settings", {})
  const groups = useSettingsSchema()
  const failure = settings.error ?? groups.error
  return (
    <>
      <PageHead title="Settings" about="They hold at once, on every server that shares this store." />
      {failure ? <FailureNotice cause={failure} /> : null}
      {settings.data && groups.data ? <Form saved={settings.data} groups={groups.data} /> : <Skeleton lines={10} />}
    </>
  )
}

function Form({ saved: given, groups }: { readonly saved: Settings; readonly groups: readonly SettingGroup[] }) {
  // By key, as the form goes through them.
  const saved = given as Readonly<Record<string, unknown>>
  const may = useMay()
  const refresh = useRefresh()
  const [changes, setChanges] = useState<Readonly<Record<string, unknown>>>({})
  const changed = Object.entries(changes)
    .map(([key, value]) => [key, withoutBlanks(value)] as const)
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(saved[key]))
  const { busy, problem, submit } = useSubmit(async () => {
    // The server checks the values, and says which one is wrong.
    await ask("PATCH /settings", { body: Object.fromEntries(changed) as Given<"PATCH /settings">["body"] })
    await refresh("/settings")
    setChanges({})
    toast("The settings were saved")
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit()
  }
  const pointerOf = (key: string) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
  return (
    <form className="stack" onSubmit={send} noValidate>
      <ProblemNotice problem={problem} shown={(pointer) => pointer !== ""} />
      {groups.map(({ title, fields }) => (
        <Panel key={title} title={title}>
          <fieldset className="form" disabled={!may("settings.write")}>
            {fields.map(([key, schema]) => (
              <SettingField
                key={key}
                name={key}
                schema={schema}
                value={changes[key] ?? saved[key]}
                change={(value) => setChanges({ ...changes, [key]: value })}
                error={fieldError(problem, pointerOf(key))}
              />
            ))}
          </fieldset>
        </Panel>
      ))}
      {may("settings.write") && (
        <div className="actions sticky-foot">
          <Button type="submit" look="primary" busy={busy} disabled={changed.length === 0}>
            {changed.length > 1 ? `Save ${changed.length} settings` : "Save"}
          </Button>
          <Button look="plain" disabled={changed.length === 0} onClick={() => setChanges({})}>
            Discard
          </Button>
        </div>
      )}
    </form>
  )
}

function withoutBlanks(value: unknown): unknown {
  return Array.isArray(value) ? value.map((one) => String(one).trim()).filter(Boolean) : value
}
