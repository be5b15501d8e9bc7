import { useRead } from "../../api/query.ts"
import { ButtonLink } from "../../parts/button.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { numberText } from "../../parts/number-text.ts"
import { Empty, PageHead, Panel } from "../../parts/page.tsx"
import { Link } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { RunTable } from "../runs/run-table.tsx"
import { FirstSteps } from "./first-steps.tsx"
import { NextFirings } from "./next-firings.tsx"

/** What goes on, what went wrong, what comes next. */
export default function OverviewPage() {
  const may = useMay()
  const busy = useRead("GET /runs", { query: { status: ["running", "queued"], limit: 20 } }, { everyMs: 2500 })
  const failed = useRead("GET /runs", { query: { status: ["failed", "interrupted"], limit: 6 } }, { everyMs: 10_000 })
  const load = useRead("GET /load", {}, { everyMs: 5000 })
  const flows = useRead("GET /flows", { query: { limit: 1 } })
  const sources = useRead("GET /sources", {})
  const isNew = flows.data?.items.length === 0
  return (
    <>
      <PageHead title="Overview">
        {may("flows.write") && !isNew && (
          <ButtonLink to="/new-flow" icon="plus">
            New flow
          </ButtonLink>
        )}
      </PageHead>
      <div className="stack">
        {busy.error ? <FailureNotice cause={busy.error} /> : null}
        {isNew && <FirstSteps hasSource={(sources.data?.items.length ?? 0) > 0} />}
        <div className="figures">
          <Figure name="Running" value={load.data?.running} to="/runs?status=running" />
          <Figure name="In the queue" value={load.data?.queued} to="/runs?status=queued" />
          <Figure name="Warm workers" value={load.data?.workers.idle} />
          <Figure name="Data sources" value={sources.data?.items.length} to="/sources" />
        </div>
        <Panel flush title="Running now and queued">
          <RunTable
            label="Running now and queued"
            runs={busy.data?.items}
            empty={
              <Empty title="Nothing runs at the moment">
                Runs show up here while they wait and while they move rows.
              </Empty>
            }
          />
        </Panel>
        <Panel
          flush
          title="Last failures"
          actions={
            <Link className="small" to="/runs?status=failed,interrupted">
              All failures
            </Link>
          }
        >
          <RunTable
            label="Last failures"
            runs={failed.data?.items}
            empty={<Empty title="No run has failed">Failed runs stay here until newer ones push them out.</Empty>}
          />
        </Panel>
        {may("schedules.read") && <NextFirings />}
      </div>
    </>
  )
}

function Figure({
  name,
  value,
  to,
}: {
  readonly name: string
  readonly value: number | undefined
  readonly to?: string
}) {
  const content = (
    <>
      <span className="figure-value number">{value === undefined ? " " : numberText(value)}</span>
      <span className="muted">{name}</span>
    </>
  )
  return to === undefined ? (
    <div className="figure">{content}</div>
  ) : (
    <Link className="figure" to={to}>
      {content}
    </Link>
  )
}
