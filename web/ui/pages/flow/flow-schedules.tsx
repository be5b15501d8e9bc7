import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { useRead } from "../../api/query.ts"
import { ButtonLink } from "../../parts/button.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty } from "../../parts/page.tsx"
import { useMay } from "../../shell/session.tsx"
import { ScheduleTable } from "../schedules/schedule-table.tsx"

/** When one flow runs by itself. */
export function FlowSchedules({ flow }: { readonly flow: SavedFlow }) {
  const may = useMay()
  const schedules = useRead("GET /schedules", { query: { flow: flow.name } })
  const add = may("schedules.write") && (
    <ButtonLink icon="plus" to={`/flows/${encodeURIComponent(flow.name)}/schedules/new`}>
      Add a schedule
    </ButtonLink>
  )
  if (schedules.error) return <FailureNotice cause={schedules.error} />
  return (
    <div className="stack tight">
      {(schedules.data?.items.length ?? 0) > 0 && <div className="actions">{add}</div>}
      <ScheduleTable
        isOfFlow
        schedules={schedules.data?.items}
        empty={
          <Empty title="It runs only when somebody starts it" action={add}>
            A schedule starts it daily, weekly, monthly, by the hour, or by a cron expression.
          </Empty>
        }
      />
    </div>
  )
}
