import type { FormEvent } from "react"
import { ask } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button, ButtonLink } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { useDraft } from "../../parts/draft.ts"
import { FailureNotice } from "../../parts/notice.tsx"
import { PageHead, Skeleton } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { toast } from "../../parts/toast.tsx"
import { navigate, useSearch } from "../../route/router.tsx"
import type { ConfigSchema } from "./config-schema.ts"
import { draftOf, newForm, type SourceForm } from "./source-draft.ts"
import { SourceFields } from "./source-form.tsx"
import { SourceType } from "./source-type.ts"
import { useSourceForm } from "./use-source-form.ts"

/** A new data source: first what it is, then where it is. */
export default function NewSourcePage() {
  const [search, change] = useSearch()
  const components = useRead("GET /components", {})
  const types = components.data?.items.filter(({ kind }) => kind === "database") ?? []
  const type = search.get("type") ?? types[0]?.id ?? ""
  return (
    <>
      <PageHead title="New data source" crumbs={[["Data sources", "/sources"]]} />
      {components.error ? <FailureNotice cause={components.error} /> : null}
      <div className="stack wide">
        <Choices
          label="Type"
          options={types.map(({ id, title }) => [id, title])}
          value={[type]}
          change={([type]) => change({ type })}
        />
        {type !== "" && <OfType key={type} type={type} />}
      </div>
    </>
  )
}

function OfType({ type }: { readonly type: string }) {
  const component = useRead("GET /components/:id", { params: { id: type } })
  if (component.error) return <FailureNotice cause={component.error} />
  if (!component.data) return <Skeleton lines={8} />
  // A component's own schema.
  return <NewForm type={type} schema={component.data.config as ConfigSchema} />
}

function NewForm({ type, schema }: { readonly type: string; readonly schema: ConfigSchema }) {
  const refresh = useRefresh()
  const own = useSourceForm(`new-source.${type}`, newForm(schema), schema)
  // Whoever changes the type has not changed what it is called.
  const about = useDraft("new-source", aboutOf(newForm(schema)))
  const form = { ...own.form, ...about.value }
  const set = (part: Partial<SourceForm>) => {
    const { name: _, description: __, concurrency: ___, hasDev: ____, ...options } = part
    about.change(aboutOf({ ...form, ...part }))
    if (Object.keys(options).length > 0) own.set(options)
  }
  const { busy, problem, submit } = useSubmit(async () => {
    const made = await ask("POST /sources", { body: draftOf(type, form, schema) })
    own.discard()
    about.discard()
    toast(`${made.name} was added`)
    await refresh("/sources")
    navigate(`/sources/${encodeURIComponent(made.name)}/tables`, { replace: true })
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit()
  }
  return (
    <SourceType value={type}>
      <form className="form" onSubmit={send}>
        <SourceFields isNew {...{ form, set, schema, problem }} kept={{ prod: [], dev: [] }} />
        <div className="actions">
          <Button type="submit" look="primary" busy={busy}>
            Add the data source
          </Button>
          <ButtonLink look="plain" to="/sources">
            Leave it
          </ButtonLink>
        </div>
      </form>
    </SourceType>
  )
}

/** What it has whatever its type. */
function aboutOf({ name, description, concurrency, hasDev }: SourceForm) {
  return { name, description, concurrency, hasDev }
}
