import { useRead } from "../../api/query.ts"
import { ButtonLink } from "../../parts/button.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { numberText } from "../../parts/number-text.ts"
import { Empty, PageHead, Panel } from "../../parts/page.tsx"
import { Link } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { OPEN_RUNS } from "../runs/open-runs.ts"
import { RunTable } from "../runs/run-table.tsx"
import { FirstSteps } from "./first-steps.tsx"
import { NextFirings } from "./next-firings.tsx"

/** What goes on, what went wrong, what comes next. */
export default function OverviewPage() {
  const may = useMay()
  const busy = useRead("GET /runs", OPEN_RUNS, { everyMs: 5000 })
  const failed = useRead("GET /runs", { query: { status: ["failed", "interrupted"], limit: 6 } }, { everyMs: 10_000 })
  const flows = useRead("GET /flows", { query: { limit: 200 } })
  const sources = useRead("GET /sources", {})
  const countOf = (status: "running" | "queued") =>
    busy.data && countText({ ...busy.data, items: busy.data.items.filter((run) => run.status === status) })
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
          <Figure name="Running" value={countOf("running")} to="/runs?status=running" />
          <Figure name="In the queue" value={countOf("queued")} to="/runs?status=queued" />
          <Figure name="Flows" value={flows.data && countText(flows.data)} to="/flows" />
          <Figure name="Data sources" value={sources.data && String(sources.data.items.length)} to="/sources" />
        </div>
        <Panel flush title="Running now and queued">
          <RunTable
            label="Running now and queued"
            runs={busy.data?.items.slice(0, 20)}
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

/** More than one page of them are counted as far as it goes. */
function countText({ items, next }: { readonly items: readonly unknown[]; readonly next?: string }): string {
  return `${numberText(items.length)}${next === undefined ? "" : "+"}`
}

function Figure({
  name,
  value,
  to,
}: {
  readonly name: string
  readonly value: string | undefined
  readonly to?: string
}) {
  const content = (
    <>
      <span className="figure-value number">{value ?? "\u00a0"}</span>
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
