import { useState } from "react"
import type { RunReport, SplitReceipt } from "../../../../core/run/report.ts"
import type { Job } from "../../../../core/server/jobs/dispatcher.ts"
import { type Answer, ask } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { FailureNotice, Notice } from "../../parts/notice.tsx"
import { numberText } from "../../parts/number-text.ts"
import { Facts, PageHead, Panel, Skeleton } from "../../parts/page.tsx"
import { Status } from "../../parts/status.tsx"
import { Tabs } from "../../parts/tabs.tsx"
import { Duration, Time } from "../../parts/time.tsx"
import { Link, type Params } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { causeText } from "../runs/cause-text.ts"
import { committedSteps } from "./receipt-lines.ts"
import { ReceiptTable } from "./receipt-table.tsx"
import { RejectedRows } from "./rejected-rows.tsx"
import { ResumeDialog } from "./resume-dialog.tsx"
import { RunDocument } from "./run-document.tsx"
import { RunLog } from "./run-log.tsx"
import { StepProgress } from "./step-progress.tsx"
import { ThroughputPlot } from "./throughput-plot.tsx"
import { useLiveRun } from "./use-live-run.ts"

type RunDetail = Answer<"GET /runs/:id">

/** One run, while it goes on and afterwards. */
export default function RunPage({ params: { id = "" } }: { readonly params: Params }) {
  const run = useRead("GET /runs/:id", { params: { id } })
  if (run.error && !run.data) return <FailureNotice cause={run.error} />
  if (!run.data) return <Skeleton lines={10} />
  return <Run key={id} run={run.data} />
}

function Run({ run }: { readonly run: RunDetail }) {
  const refresh = useRefresh()
  const { live, lines, state } = useLiveRun(run)
  const [tab, setTab] = useState("log")
  const isOpen = run.status === "queued" || run.status === "running"
  // What the engine has recorded.
  const report = (run.detail?.report as Omit<RunReport, "receipts"> | undefined) ?? live.report
  const receipts = (run.detail?.receipts ?? []) as readonly SplitReceipt[]
  const splits = isOpen || !run.detail ? { all: live.splits, committed: live.committed } : run.detail.splits
  const planned = (run.detail?.steps ?? []) as readonly { readonly id: string; readonly use: string }[]
  const use = { ...Object.fromEntries(planned.map((step) => [step.id, step.use])), ...live.use }
  const left = isOpen ? [] : committedSteps(receipts, splits.committed)
  const steps = report?.steps ?? (live.steps.length > 0 ? live.steps : left)
  const rejected = report?.rejected ?? (isOpen ? live.rejected : (run.rejected ?? 0))
  const isSaved = run.flowVersion > 0
  const update = () => void refresh("/runs")
  return (
    <>
      <PageHead
        title={run.flowName}
        crumbs={[["Runs", "/runs"]]}
        tag={<Status status={run.status} isEnding={run.isEnding} />}
        about={<span className="mono">{run.id}</span>}
      >
        <RunActions run={run} update={update} />
      </PageHead>
      <div className="stack">
        {isOpen && state === "broken" && (
          <Notice tone="warn" title="The line to the server is broken">
            It is taken up again by itself; what is shown may be old until then.
          </Notice>
        )}
        {run.status === "failed" && run.message !== null && (
          <Notice tone="bad" title={run.message}>
            {report?.failure?.hint}
          </Notice>
        )}
        {run.status === "interrupted" && (
          <Notice tone="warn" title="The process of this run has died">
            Resume it to go on with the splits that are missing, or cancel it to take away what it has left.
          </Notice>
        )}
        <div className="panel">
          <div className="panel-body">
            <RunFacts
              run={run}
              written={run.written ?? steps.reduce((sum, one) => sum + (one.kind === "output" ? one.rowsOut : 0), 0)}
              rejected={rejected}
            />
          </div>
        </div>
        {live.samples.length > 2 && (
          <Panel
            title="Throughput"
            actions={
              splits.all > 0 && (
                <span className="muted small number">
                  {numberText(splits.committed)} of {numberText(splits.all)} splits committed
                </span>
              )
            }
          >
            <ThroughputPlot samples={live.samples} isOpen={isOpen} />
          </Panel>
        )}
        <Panel flush title="Steps">
          <StepProgress steps={steps} use={use} estimatedRows={isOpen ? live.estimatedRows : undefined} />
        </Panel>
        <div>
          <Tabs
            label="About the run"
            current={tab}
            change={setTab}
            tabs={[
              { id: "log", text: "Log" },
              { id: "rejected", text: "Rejected rows", count: rejected, isBad: rejected > 0 },
              { id: "receipt", text: "Receipt" },
              { id: "parameters", text: "Parameters" },
              ...(isSaved ? [] : [{ id: "document", text: "Document" }]),
            ]}
          >
            {tab === "log" && <RunLog run={run.id} lines={lines} isLive={isOpen} />}
            {tab === "rejected" && <RejectedRows run={run.id} canReplay={!isOpen} />}
            {tab === "receipt" && (
              <ReceiptTable
                receipts={receipts}
                outputs={run.detail?.outputs ?? []}
                committed={run.detail?.splits.committed ?? receipts.length}
                adjusted={report?.adjusted ?? []}
                isOpen={isOpen}
              />
            )}
            {tab === "parameters" && <Parameters run={run} />}
            {tab === "document" && <RunDocument run={run.id} />}
          </Tabs>
        </div>
      </div>
    </>
  )
}

function RunActions({ run, update }: { readonly run: Job; update(): void }) {
  const may = useMay()
  const [open, setOpen] = useState<"cancel" | "resume">()
  if (!may("runs.control")) return null
  const canCancel = ["queued", "running", "interrupted"].includes(run.status) && !run.isEnding
  const canResume = ["failed", "cancelled", "interrupted"].includes(run.status)
  return (
    <>
      {canResume && (
        <Button icon="refresh" look="primary" onClick={() => setOpen("resume")}>
          Resume…
        </Button>
      )}
      {canCancel && (
        <Button icon="stop" look="danger" onClick={() => setOpen("cancel")}>
          Cancel run
        </Button>
      )}
      {open === "resume" && <ResumeDialog run={run} close={() => setOpen(undefined)} done={update} />}
      {open === "cancel" && (
        <Confirm
          title="Cancel this run?"
          yes="Cancel it"
          close={() => setOpen(undefined)}
          act={async () => {
            await ask("POST /runs/:id/cancel", { params: { id: run.id }, body: {} })
            update()
          }}
        >
          Reading stops, statements on the servers are cancelled, and the process is killed if that takes too long. The
          run can be resumed later.
        </Confirm>
      )}
    </>
  )
}

function RunFacts({
  run,
  written,
  rejected,
}: {
  readonly run: Job
  readonly written: number
  readonly rejected: number
}) {
  const { parallel, errorLimit } = run.overrides
  const flow = `/flows/${encodeURIComponent(run.flowName)}`
  return (
    <Facts
      items={[
        [
          "Written",
          <span key="w" className="big number">
            {numberText(written)}
          </span>,
        ],
        [
          "Rejected",
          <span key="r" className="big number">
            {numberText(rejected)}
          </span>,
        ],
        [
          "Took",
          <span key="t" className="big">
            <Duration from={run.status === "interrupted" ? null : run.startedAt} to={run.endedAt} />
          </span>,
        ],
        ["Flow", run.flowVersion > 0 ? <Link key="f" to={flow}>{`Version ${run.flowVersion}`}</Link> : "Not saved"],
        ["Asked for", <Time key="a" at={run.requestedAt} />],
        ["By", causeText(run.cause)],
        ["Business date", run.bizdate],
        ["Environment", run.environment === "prod" ? "Production" : "Development"],
        ...(run.status === "queued"
          ? [["Priority", String(run.priority)] as const, ["Due", <Time key="d" at={run.dueAt} relative />] as const]
          : []),
        ...(parallel === undefined ? [] : [["In parallel", numberText(parallel)] as const]),
        ...(errorLimit === undefined ? [] : [["Error limit", numberText(errorLimit)] as const]),
        ...(run.retry > 0 ? [["Retry", String(run.retry)] as const] : []),
      ]}
    />
  )
}

function Parameters({ run }: { readonly run: Job }) {
  const entries = Object.entries(run.parameters)
  return (
    <div className="panel">
      <div className="panel-body">
        {entries.length === 0 ? (
          <p className="muted">This run was given no parameters; those of the flow had their own values.</p>
        ) : (
          <Facts
            items={entries.map(([name, value]) => [
              name,
              <span key={name} className="mono">
                {value}
              </span>,
            ])}
          />
        )}
      </div>
    </div>
  )
}
