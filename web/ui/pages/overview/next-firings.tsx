import { useRead } from "../../api/query.ts"
import { Empty, Panel } from "../../parts/page.tsx"
import { Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { Link } from "../../route/router.tsx"
import { recurrenceText } from "../schedules/recurrence-text.ts"

/** Which schedules fire next. */
export function NextFirings() {
  const schedules = useRead("GET /schedules", {}, { everyMs: 20_000 })
  const next = schedules.data?.items
    .filter((one) => one.nextAt !== null && !one.paused)
    .sort((a, b) => (a.nextAt ?? 0) - (b.nextAt ?? 0))
    .slice(0, 6)
  return (
    <Panel
      flush
      title="Next firings"
      actions={
        <Link className="small" to="/schedules">
          All schedules
        </Link>
      }
    >
      <Table
        label="Next firings"
        rows={next}
        keyOf={(one) => one.id}
        columns={[
          {
            label: "Flow",
            cell: (one) => (
              <Link className="name" to={`/flows/${encodeURIComponent(one.flow)}`}>
                {one.flow}
              </Link>
            ),
          },
          { label: "Schedule", cell: (one) => <Link to={`/schedules/${one.id}`}>{one.name}</Link> },
          { label: "Recurrence", cell: (one) => <span className="muted">{recurrenceText(one.recurrence)}</span> },
          { label: "When", end: true, cell: (one) => <Time at={one.nextAt} relative /> },
        ]}
        empty={
          <Empty title="Nothing is scheduled">
            Open a flow and give it a schedule: daily, weekly, monthly, by the hour or by a cron expression.
          </Empty>
        }
      />
    </Panel>
  )
}
