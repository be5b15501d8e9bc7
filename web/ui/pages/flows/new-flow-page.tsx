import { type FormEvent, useEffect } from "react"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button, ButtonLink } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { useDraft } from "../../parts/draft.ts"
import { AreaField, TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { PageHead } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { navigate, useSearch } from "../../route/router.tsx"
import { STARTS } from "./starts.ts"

/** A new flow, from something that already runs or as a copy of another one. */
export default function NewFlowPage() {
  const refresh = useRefresh()
  const [search] = useSearch()
  const copied = search.get("copy")
  const origin = useRead("GET /flows/:name", { params: { name: copied ?? "" } }, { when: copied !== null })
  const draft = useDraft(`new-flow.${copied ?? ""}`, { name: "", folder: "", description: "", start: FIRST })
  const form = draft.value
  const set = (part: Partial<typeof form>) => draft.change({ ...form, ...part })
  const folder = origin.data?.folder
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the origin is known
  useEffect(() => {
    if (folder !== undefined && form.folder === "") set({ folder })
  }, [folder])
  const { busy, problem, submit } = useSubmit(async () => {
    const { name, folder, description, start } = form
    const document = origin.data?.document ?? STARTS.find(({ id }) => id === start)?.document ?? STARTS[0].document
    const properties = origin.data?.properties
    const body = { name: name.trim(), folder: folder.trim(), description, document, ...(properties && { properties }) }
    const made = await ask("POST /flows", { body })
    draft.discard()
    await refresh("/flows")
    navigate(`/flows/${encodeURIComponent(made.name)}`, { replace: true })
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit()
  }
  return (
    <>
      <PageHead title={copied === null ? "New flow" : `Copy of ${copied}`} crumbs={[["Flows", "/flows"]]} />
      <form className="form" onSubmit={send}>
        <ProblemNotice problem={problem} shown={(pointer) => /^\/(name|folder|description)$/.test(pointer)} />
        <div className="pair">
          <TextField
            label="Name"
            value={form.name}
            change={(name) => set({ name })}
            error={fieldError(problem, "/name")}
            required
            autoFocus
          />
          <TextField
            label="Folder"
            optional
            hint="Such as sales/daily."
            value={form.folder}
            change={(folder) => set({ folder })}
            error={fieldError(problem, "/folder")}
          />
        </div>
        <AreaField
          label="Description"
          optional
          value={form.description}
          change={(description) => set({ description })}
          error={fieldError(problem, "/description")}
        />
        {copied === null && (
          <>
            <Choices
              label="Begin with"
              options={STARTS.map(({ id, text }) => [id, text])}
              value={[form.start]}
              change={([start = FIRST]) => set({ start })}
            />
            <p className="muted small">{STARTS.find(({ id }) => id === form.start)?.about}</p>
          </>
        )}
        <div className="actions">
          <Button type="submit" look="primary" busy={busy}>
            Make the flow
          </Button>
          <ButtonLink look="plain" to="/flows">
            Leave it
          </ButtonLink>
        </div>
      </form>
    </>
  )
}

const FIRST: string = STARTS[0].id
