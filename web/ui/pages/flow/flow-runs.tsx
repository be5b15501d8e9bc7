import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { usePages } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { More } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty } from "../../parts/page.tsx"
import { RunTable } from "../runs/run-table.tsx"
import { FlowMarks } from "./flow-marks.tsx"

/** The runs of one flow. */
export function FlowRuns({ flow, run }: { readonly flow: SavedFlow; readonly run: (() => void) | undefined }) {
  const runs = usePages("GET /runs", { query: { flow: flow.name, limit: 50 } }, 5000)
  if (runs.error) return <FailureNotice cause={runs.error} />
  return (
    <div className="stack">
      <FlowMarks flow={flow} />
      <RunTable
        isOfFlow
        label={`Runs of ${flow.name}`}
        runs={runs.items}
        empty={
          <Empty title="It has not run yet" action={run && <Button onClick={run}>Run it…</Button>}>
            Start it by hand, by a schedule, or by an HTTP trigger.
          </Empty>
        }
      />
      <More list={runs} />
    </div>
  )
}
