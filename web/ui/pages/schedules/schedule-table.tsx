import type { ReactNode } from "react"
import type { ShownSchedule } from "../../../../core/server/schedules/schedules.ts"
import { ask } from "../../api/client.ts"
import { useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { Badge } from "../../parts/status.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { Link } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { recurrenceText } from "./recurrence-text.ts"

/** Schedules with when they fire; paused and resumed from here. */
export function ScheduleTable({
  schedules,
  empty,
  isOfFlow = false,
}: {
  readonly schedules: readonly ShownSchedule[] | undefined
  readonly empty: ReactNode
  readonly isOfFlow?: boolean
}) {
  const may = useMay()
  const refresh = useRefresh()
  const { problem, submit, busy } = useSubmit(async ({ id, paused }: ShownSchedule) => {
    await ask(paused ? "POST /schedules/:id/resume" : "POST /schedules/:id/pause", { params: { id } })
    await refresh("/schedules")
  })
  const columns: readonly Column<ShownSchedule>[] = [
    NAME,
    ...(isOfFlow ? [] : [FLOW]),
    ...REST,
    {
      ...{ label: "Actions", quiet: true, end: true },
      cell: (one) =>
        may("schedules.write") && (
          <Button look="plain" icon={one.paused ? "runs" : "pause"} disabled={busy} onClick={() => void submit(one)}>
            {one.paused ? "Resume" : "Pause"}
          </Button>
        ),
    },
  ]
  return (
    <>
      <ProblemNotice problem={problem} />
      <Table label="Schedules" rows={schedules} keyOf={({ id }) => id} columns={columns} empty={empty} />
    </>
  )
}

const NAME: Column<ShownSchedule> = {
  label: "Schedule",
  cell: ({ id, name, recurrence, message }) => (
    <>
      <Link className="name" to={`/schedules/${id}`}>
        {name}
      </Link>
      <span className="sub wrap">{recurrenceText(recurrence)}</span>
      {message !== null && <span className="sub wrap bad">Last firing: {message}</span>}
    </>
  ),
}

const FLOW: Column<ShownSchedule> = {
  label: "Flow",
  cell: ({ flow }) => (
    <Link className="wrap" to={`/flows/${encodeURIComponent(flow)}`}>
      {flow}
    </Link>
  ),
}

const REST: readonly Column<ShownSchedule>[] = [
  { label: "State", narrow: true, cell: (one) => <ScheduleState schedule={one} /> },
  { label: "Time zone", cell: ({ timeZone }) => <span className="muted">{timeZone}</span> },
  { label: "Last", cell: ({ lastAt }) => <Time at={lastAt} relative empty="never" /> },
  {
    label: "Next",
    cell: ({ nextAt, paused }) =>
      paused ? <span className="faint">–</span> : <Time at={nextAt} relative empty="never" />,
  },
]

function ScheduleState({ schedule: { paused, mode } }: { readonly schedule: ShownSchedule }) {
  if (paused) return <Badge icon="pause" text="Paused" />
  if (mode === "dry-run") return <Badge tone="warn" icon="eye" text="Dry run" />
  if (mode === "skip") return <Badge tone="warn" icon="right" text="Skips" />
  return <Badge tone="good" icon="clock" text="Active" />
}
