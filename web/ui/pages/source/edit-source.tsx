import type { FormEvent } from "react"
import type { ShownSource } from "../../../../core/server/sources/source-registry.ts"
import { ask } from "../../api/client.ts"
import { problemOf } from "../../api/problem.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { FailureNotice, Notice } from "../../parts/notice.tsx"
import { Skeleton } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { toast } from "../../parts/toast.tsx"
import { navigate } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import type { ConfigSchema } from "./config-schema.ts"
import { draftOf, formOf } from "./source-draft.ts"
import { SourceFields } from "./source-form.tsx"
import { SourceType } from "./source-type.ts"
import { useSourceForm } from "./use-source-form.ts"

/** Changes a data source. */
export function EditSource({ source }: { readonly source: ShownSource }) {
  const component = useRead("GET /components/:id", { params: { id: source.type } })
  if (component.error) return <FailureNotice cause={component.error} />
  if (!component.data) return <Skeleton lines={8} />
  // A component's own schema.
  return <EditForm source={source} schema={component.data.config as ConfigSchema} />
}

function EditForm({ source, schema }: { readonly source: ShownSource; readonly schema: ConfigSchema }) {
  const may = useMay()
  const refresh = useRefresh()
  const saved = formOf(source, schema)
  const key = `source.${source.id}`
  const { form, set, discard, base, isChanged, isStale } = useSourceForm(key, saved, schema, source.version)
  const { busy, problem, submit } = useSubmit(async (version: number) => {
    const body = { ...draftOf(source.type, form, schema), version }
    try {
      const after = await ask("PUT /sources/:name", { params: { name: source.name }, body })
      if (after.name !== source.name) navigate(`/sources/${encodeURIComponent(after.name)}`, { replace: true })
      await refresh("/sources")
      discard()
      toast("The data source was saved")
    } catch (cause) {
      // What there is now is shown beside what was written.
      if (problemOf(cause).status === 409) await refresh("/sources")
      throw cause
    }
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit(base)
  }
  const theirs = Object.entries(saved.prod).filter(([name, value]) => value !== form.prod[name] && value !== "")
  return (
    <SourceType value={source.type}>
      <form className="form" onSubmit={send}>
        {isStale && (
          <Notice
            tone="warn"
            title={`${source.updatedBy} has changed this data source meanwhile`}
            action={
              <div className="stack tight">
                <Button busy={busy} onClick={() => void submit(source.version)}>
                  Save mine over it
                </Button>
                <Button look="plain" onClick={discard}>
                  Take theirs
                </Button>
              </div>
            }
          >
            {theirs.length === 0
              ? "Its production connection is the same as yours."
              : theirs.map(([name, value]) => `${name}: now “${value}”, yours “${form.prod[name] ?? ""}”`).join("; ")}
          </Notice>
        )}
        <fieldset className="form" disabled={!may("sources.write")}>
          <SourceFields
            isNew={false}
            {...{ form, set, schema }}
            problem={problem?.status === 409 && isStale ? undefined : problem}
            kept={source.secrets}
          />
        </fieldset>
        {may("sources.write") && (
          <div className="actions">
            <Button type="submit" look="primary" busy={busy} disabled={!isChanged || isStale}>
              Save
            </Button>
            <Button look="plain" disabled={!isChanged} onClick={discard}>
              Discard
            </Button>
          </div>
        )}
      </form>
    </SourceType>
  )
}
