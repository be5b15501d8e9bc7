import type { Answer } from "../../api/client.ts"
import { usePages } from "../../api/query.ts"
import { More, Search } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty, PageHead } from "../../parts/page.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { useSearch } from "../../route/router.tsx"
import { DayRange, dayEnd, dayStart } from "../runs/day-range.tsx"

type Line = Answer<"GET /audit">["items"][number]

/** Who has changed what, and who was not let to. */
export default function AuditPage() {
  const [search, change] = useSearch()
  const [action, from, to] = ["action", "from", "to"].map((key) => search.get(key) ?? "")
  const query = {
    limit: 100,
    ...(action && { action }),
    ...(from && { from: dayStart(from) }),
    ...(to && { to: dayEnd(to) }),
  }
  const lines = usePages("GET /audit", { query })
  return (
    <>
      <PageHead
        title="Audit log"
        about="Everything that changed something, and every refusal that matters for security."
      />
      <div className="filters">
        <Search
          label="Action, such as login.refused"
          value={action ?? ""}
          change={(action) => change({ action: action.trim() })}
        />
        <DayRange from={from ?? ""} to={to ?? ""} change={change} />
      </div>
      {lines.error ? <FailureNotice cause={lines.error} /> : null}
      <Table
        label="Audit log"
        rows={lines.items}
        keyOf={({ id }) => id}
        columns={COLUMNS}
        empty={<Empty title="No line fits">Look at other days, or at all actions.</Empty>}
      />
      <More list={lines} />
    </>
  )
}

const COLUMNS: readonly Column<Line>[] = [
  { label: "When", narrow: true, cell: ({ at }) => <Time at={at} /> },
  {
    label: "Who",
    cell: ({ actorName, actorKind, address }) => (
      <>
        <span className="wrap">{actorName || actorKind}</span>
        <span className="sub">{[actorName ? actorKind : "", address].filter(Boolean).join(", ")}</span>
      </>
    ),
  },
  { label: "Did what", cell: ({ action }) => <span className="mono">{action}</span> },
  {
    label: "To what",
    cell: ({ subjectKind, subjectName, subjectId }) => (
      <>
        <span className="wrap">{subjectName || subjectId}</span>
        <span className="sub">{subjectKind}</span>
      </>
    ),
  },
  {
    label: "Detail",
    cell: ({ detail }) =>
      Object.keys(detail).length > 0 && (
        <details className="small">
          <summary className="muted">Show</summary>
          <pre className="wrap">{JSON.stringify(detail, null, 2)}</pre>
        </details>
      ),
  },
]
