import { type FormEvent, useState } from "react"
import type { ShownSchedule } from "../../../../core/server/schedules/schedules.ts"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button, ButtonLink } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { FailureNotice, Notice, ProblemNotice } from "../../parts/notice.tsx"
import { PageHead, Panel, Skeleton } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { toast } from "../../parts/toast.tsx"
import { useVersionedDraft } from "../../parts/versioned-draft.ts"
import { navigate, type Params } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { FiringsPreview } from "./firings-preview.tsx"
import { recurrenceText } from "./recurrence-text.ts"
import { draftOf, formOf, newForm, type ScheduleForm } from "./schedule-draft.ts"
import { ScheduleFields } from "./schedule-fields.tsx"

/** Makes or changes a schedule, with its next firings beside it. */
export default function SchedulePage({ params: { id, flow } }: { readonly params: Params }) {
  const found = useRead("GET /schedules/:id", { params: { id: id ?? "" } }, { when: id !== undefined })
  if (flow !== undefined) return <Editor key={flow} flow={flow} />
  if (found.error && !found.data) return <FailureNotice cause={found.error} />
  if (!found.data) return <Skeleton lines={10} />
  return <Editor key={id} flow={found.data.flow} schedule={found.data} />
}

function Editor({ flow, schedule }: { readonly flow: string; readonly schedule?: ShownSchedule }) {
  const may = useMay()
  const refresh = useRefresh()
  const saved = schedule ? formOf(schedule) : newForm(Intl.DateTimeFormat().resolvedOptions().timeZone)
  const key = schedule ? `schedule.${schedule.id}` : `schedule.of.${flow}`
  const draft = useVersionedDraft<ScheduleForm>(key, saved, schedule?.version ?? 0)
  const [isRemoving, setRemoving] = useState(false)
  const back = `/flows/${encodeURIComponent(flow)}/schedules`
  const { isStale } = draft
  const { busy, problem, submit } = useSubmit(async (version: number) => {
    const body = draftOf(draft.value)
    try {
      if (schedule) await ask("PUT /schedules/:id", { params: { id: schedule.id }, body: { ...body, version } })
      else await ask("POST /flows/:name/schedules", { params: { name: flow }, body })
      await refresh("/schedules")
      draft.discard()
      toast("The schedule was saved")
      if (!schedule) navigate(back, { replace: true })
    } catch (cause) {
      // What there is now is shown beside what was written.
      await refresh("/schedules")
      throw cause
    }
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit(draft.base)
  }
  const isConflict = problem?.status === 409 && isStale
  return (
    <>
      <PageHead
        title={schedule?.name ?? "New schedule"}
        crumbs={[
          ["Flows", "/flows"],
          [flow, `/flows/${encodeURIComponent(flow)}`],
          ["Schedules", back],
        ]}
      >
        {schedule && may("schedules.write") && (
          <Button look="danger" onClick={() => setRemoving(true)}>
            Remove…
          </Button>
        )}
      </PageHead>
      <div className="beside">
        <form className="form" onSubmit={send}>
          {isStale && schedule && (
            <Notice
              tone="warn"
              title="Somebody else has changed this schedule meanwhile"
              action={
                <div className="stack tight">
                  <Button busy={busy} onClick={() => void submit(schedule.version)}>
                    Save mine over it
                  </Button>
                  <Button look="plain" onClick={draft.discard}>
                    Take theirs
                  </Button>
                </div>
              }
            >
              Now: {recurrenceText(schedule.recurrence)}, {schedule.timeZone}, {schedule.mode}.
            </Notice>
          )}
          {!isConflict && <ProblemNotice problem={problem} shown={(pointer) => pointer !== ""} />}
          <fieldset className="form" disabled={!may("schedules.write")}>
            <ScheduleFields
              form={draft.value}
              set={(part) => draft.change({ ...draft.value, ...part })}
              error={(pointer) => fieldError(problem, pointer)}
            />
          </fieldset>
          {may("schedules.write") && (
            <div className="actions">
              <Button type="submit" look="primary" busy={busy} disabled={isStale}>
                {schedule ? "Save" : "Add the schedule"}
              </Button>
              {draft.isChanged && (
                <Button look="plain" onClick={draft.discard}>
                  Discard
                </Button>
              )}
              <ButtonLink look="plain" to={back}>
                Back
              </ButtonLink>
            </div>
          )}
        </form>
        <Panel title="Next ten firings">
          <FiringsPreview form={draft.value} />
        </Panel>
      </div>
      {isRemoving && schedule && (
        <Confirm
          title={`Remove ${schedule.name}?`}
          yes="Remove it"
          close={() => setRemoving(false)}
          act={async () => {
            await ask("DELETE /schedules/:id", { params: { id: schedule.id }, query: { version: schedule.version } })
            navigate(back)
            await refresh("/schedules")
          }}
        >
          It fires no more. Runs that it has started stay.
        </Confirm>
      )}
    </>
  )
}
