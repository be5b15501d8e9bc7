import { useRead } from "../../api/query.ts"
import { ButtonLink } from "../../parts/button.tsx"
import { Search } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty, PageHead } from "../../parts/page.tsx"
import { useSearch } from "../../route/router.tsx"
import { ScheduleTable } from "./schedule-table.tsx"

/** When flows run by themselves. */
export default function SchedulesPage() {
  const [search, change] = useSearch()
  const text = search.get("text") ?? ""
  const schedules = useRead("GET /schedules", {}, { everyMs: 15_000 })
  const word = text.toLowerCase()
  const shown = schedules.data?.items
    .filter(({ name, flow }) => `${name} ${flow}`.toLowerCase().includes(word))
    .sort((a, b) => (a.nextAt ?? Number.MAX_SAFE_INTEGER) - (b.nextAt ?? Number.MAX_SAFE_INTEGER))
  return (
    <>
      <PageHead title="Schedules" about="A schedule belongs to a flow; it is made on the flow’s own page." />
      <div className="filters">
        <Search label="Schedule or flow" value={text} change={(text) => change({ text })} />
      </div>
      {schedules.error ? <FailureNotice cause={schedules.error} /> : null}
      <ScheduleTable
        schedules={shown}
        empty={
          text ? (
            <Empty title="No schedule fits">Search for a part of its name or of its flow’s name.</Empty>
          ) : (
            <Empty title="Nothing runs by itself yet" action={<ButtonLink to="/flows">Choose a flow</ButtonLink>}>
              Open a flow, and add a schedule under “Schedules”.
            </Empty>
          )
        }
      />
    </>
  )
}
