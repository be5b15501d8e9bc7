import type { ReactNode } from "react"
import type { Job } from "../../../../core/server/jobs/dispatcher.ts"
import { numberText } from "../../parts/number-text.ts"
import { Status } from "../../parts/status.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Duration, Time } from "../../parts/time.tsx"
import { Link } from "../../route/router.tsx"
import { causeText } from "./cause-text.ts"

/** Runs, newest first; every one leads to its page. */
export function RunTable({
  label,
  runs,
  empty,
  isOfFlow = false,
}: {
  readonly label: string
  readonly runs: readonly Job[] | undefined
  readonly empty: ReactNode
  /** All of one flow, which needs not be named again. */
  readonly isOfFlow?: boolean
}) {
  return <Table label={label} rows={runs} columns={isOfFlow ? OF_FLOW : ALL} keyOf={(run) => run.id} empty={empty} />
}

const status: Column<Job> = {
  label: "Status",
  narrow: true,
  cell: (run) => <Status status={run.status} isEnding={run.isEnding} />,
}

const flow: Column<Job> = {
  label: "Flow",
  cell: (run) => (
    <>
      <Link className="name" to={`/runs/${run.id}`}>
        {run.flowName}
      </Link>
      {run.flowVersion === 0 && <span className="tag beside-name">not saved</span>}
      {run.environment === "dev" && <span className="tag beside-name">dev</span>}
      <Message run={run} />
    </>
  ),
}

const started: Column<Job> = {
  label: "Asked for",
  cell: (run) => (
    <Link className="name" to={`/runs/${run.id}`}>
      <Time at={run.requestedAt} />
    </Link>
  ),
}

const rest: readonly Column<Job>[] = [
  { label: "Business date", cell: (run) => <span className="number">{run.bizdate}</span> },
  { label: "By", cell: (run) => <span className="wrap">{causeText(run.cause)}</span> },
]

const counts: readonly Column<Job>[] = [
  {
    label: "Took",
    end: true,
    cell: (run) => <Duration from={run.status === "interrupted" ? null : run.startedAt} to={run.endedAt} />,
  },
  { label: "Written", end: true, cell: (run) => numberText(run.written) },
  {
    label: "Rejected",
    end: true,
    cell: (run) => (run.rejected ? <strong>{numberText(run.rejected)}</strong> : numberText(run.rejected)),
  },
]

const ALL: readonly Column<Job>[] = [
  flow,
  status,
  ...rest,
  { label: "Asked for", cell: (run) => <Time at={run.requestedAt} relative /> },
  ...counts,
]
const OF_FLOW: readonly Column<Job>[] = [started, status, ...rest, ...counts]

function Message({ run }: { readonly run: Job }) {
  if (run.message === null || run.status === "succeeded") return null
  const text = run.message.split("\n")[0] ?? ""
  return (
    <span className="sub wrap" title={run.message}>
      {text.length > 140 ? `${text.slice(0, 140)}…` : text}
    </span>
  )
}
