import { useState } from "react"
import type { ShownRows } from "../../../../core/server/jobs/orders.ts"
import { ask } from "../../api/client.ts"
import { Button } from "../../parts/button.tsx"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { plural } from "../../parts/number-text.ts"
import { Empty } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { ValueTable } from "../../parts/value-table.tsx"
import { readGraph } from "./graph/read-graph.ts"
import { type Occasion, OccasionBar, occasionBody } from "./question-bar.tsx"

/** The first rows at a step. Nothing is written. */
export function PreviewPanel({
  document,
  occasion,
  change,
}: {
  readonly document: string
  readonly occasion: Occasion
  change(occasion: Occasion): void
}) {
  const [step, setStep] = useState("")
  const [shown, setShown] = useState<ShownRows>()
  const steps = readGraph(document)?.steps ?? []
  const { busy, problem, submit } = useSubmit(async () => {
    const chosen = steps.some(({ id }) => id === step) ? { step } : {}
    const body = { document, ...occasionBody(occasion), ...chosen, rows: 50 }
    // What a worker answers to a preview.
    setShown((await ask("POST /preview", { body })) as ShownRows)
  })
  return (
    <div className="stack tight">
      <OccasionBar value={occasion} change={change} />
      <div className="row">
        <select
          className="input grow"
          aria-label="At which step"
          value={step}
          onChange={(event) => setStep(event.target.value)}
        >
          <option value="">What the outputs would be given</option>
          {steps.map(({ id, use }) => (
            <option key={id} value={id}>
              {`Behind ${id} (${use})`}
            </option>
          ))}
        </select>
        <Button look={shown ? undefined : "primary"} busy={busy} onClick={() => void submit()}>
          Show rows
        </Button>
      </div>
      <ProblemNotice problem={problem} />
      {!shown && !problem && (
        <Empty title="What comes out?">
          The first 50 rows are read and sent through the steps. Nothing is written.
        </Empty>
      )}
      {shown?.failure && (
        <Notice tone="bad" title={shown.failure.message}>
          {shown.failure.hint}
        </Notice>
      )}
      {shown?.shown.map(({ step, columns, rows }) => (
        <div key={step} className="stack tight">
          <h2 className="wrap">
            {step} <span className="muted">{plural(rows.length, "row")}</span>
          </h2>
          <ValueTable label={`Rows at ${step}`} columns={columns} rows={rows} />
        </div>
      ))}
      {shown?.rejections.map((one) => (
        <Notice
          key={`${one.step} ${one.row} ${one.column}`}
          tone="warn"
          title={`${one.step}, row ${one.row}: rejected`}
        >
          {one.column && <code>{one.column}</code>} {one.reason}
        </Notice>
      ))}
      {shown?.isCut && <p className="muted small">There may be more rows.</p>}
    </div>
  )
}
