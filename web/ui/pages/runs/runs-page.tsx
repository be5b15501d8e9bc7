import type { JobStatus } from "../../../../core/store/tables/job-tables.ts"
import { usePages } from "../../api/query.ts"
import { ButtonLink } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { More, Search } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty, PageHead } from "../../parts/page.tsx"
import { JOB_STATUSES, statusText } from "../../parts/status.tsx"
import { useSearch } from "../../route/router.tsx"
import { DayRange, dayEnd, dayStart } from "./day-range.tsx"
import { RunTable } from "./run-table.tsx"

/** All runs, as far back as somebody wants to look. The filters stand in the address. */
export default function RunsPage() {
  const [search, change] = useSearch()
  const statuses = (search.get("status")?.split(",") ?? []).filter(isStatus)
  const [text, from, to] = ["text", "from", "to"].map((key) => search.get(key) ?? "")
  const query = {
    limit: 50,
    ...(statuses.length > 0 && { status: statuses }),
    ...(text && { text }),
    ...(from && { from: dayStart(from) }),
    ...(to && { to: dayEnd(to) }),
  }
  const runs = usePages("GET /runs", { query }, 5000)
  const isFiltered = statuses.length > 0 || Boolean(text || from || to)
  return (
    <>
      <PageHead title="Runs" />
      <div className="filters">
        <Search label="Flow or run" value={text ?? ""} change={(text) => change({ text })} />
        <Choices
          quiet
          many
          label="Status"
          options={JOB_STATUSES.map((status) => [status, statusText(status)])}
          value={statuses}
          change={(chosen) => change({ status: chosen.join(",") })}
        />
        <DayRange from={from ?? ""} to={to ?? ""} change={change} />
      </div>
      {runs.error ? <FailureNotice cause={runs.error} /> : null}
      <RunTable
        label="Runs"
        runs={runs.items}
        empty={
          isFiltered ? (
            <Empty title="No run fits these filters">Take a status away, or look at other days.</Empty>
          ) : (
            <Empty title="Nothing has run yet" action={<ButtonLink to="/flows">Choose a flow</ButtonLink>}>
              A run appears here as soon as somebody, a trigger or a schedule starts a flow.
            </Empty>
          )
        }
      />
      <More list={runs} />
    </>
  )
}

function isStatus(text: string): text is JobStatus {
  return (JOB_STATUSES as readonly string[]).includes(text)
}
