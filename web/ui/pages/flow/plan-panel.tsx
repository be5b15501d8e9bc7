import { useState } from "react"
import { ask } from "../../api/client.ts"
import { Button } from "../../parts/button.tsx"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { numberText, plural } from "../../parts/number-text.ts"
import { Empty } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { type Occasion, OccasionBar, occasionBody } from "./question-bar.tsx"

interface PlanColumn {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
}

interface PlanStep {
  readonly id: string
  readonly use: string
  readonly kind: string
  readonly dataSources: readonly string[]
  readonly output: readonly PlanColumn[]
  readonly input: readonly PlanColumn[]
  readonly encoding?: string
  readonly estimatedRows?: number
  readonly notes: readonly string[]
  readonly creates: readonly string[]
}

/** As `headrace plan --json` prints it. */
interface PlanText {
  readonly bizdate: string
  readonly steps: readonly PlanStep[]
  readonly warnings: readonly { readonly message: string; readonly hint?: string }[]
}

/** How the flow would run: columns on every hop, splits, what the source evaluates. */
export function PlanPanel({
  document,
  occasion,
  change,
}: {
  readonly document: string
  readonly occasion: Occasion
  change(occasion: Occasion): void
}) {
  const [plan, setPlan] = useState<PlanText>()
  const { busy, problem, submit } = useSubmit(async () => {
    setPlan((await ask("POST /plan", { body: { document, ...occasionBody(occasion) } })) as PlanText)
  })
  return (
    <div className="stack tight">
      <div className="row">
        <OccasionBar value={occasion} change={change} />
        <Button busy={busy} look={plan ? undefined : "primary"} onClick={() => void submit()}>
          {plan ? "Plan again" : "Plan"}
        </Button>
      </div>
      <ProblemNotice problem={problem} />
      {!plan && !problem && (
        <Empty title="How would it run?">
          Planning asks the systems for their columns and splits. It reads no row and writes nothing.
        </Empty>
      )}
      {plan?.warnings.map((one) => (
        <Notice key={one.message} tone="warn" title={one.message}>
          {one.hint}
        </Notice>
      ))}
      {plan?.steps.map((step) => (
        <PlannedStep key={step.id} step={step} />
      ))}
    </div>
  )
}

function PlannedStep({ step }: { readonly step: PlanStep }) {
  const columns = step.kind === "output" ? step.input : step.output
  return (
    <details className="plan-step" open={step.notes.length + step.creates.length > 0}>
      <summary>
        <strong>{step.id}</strong>
        <span className="muted">{step.use}</span>
        {step.dataSources.map((name) => (
          <span key={name} className="tag">
            {name}
          </span>
        ))}
        {step.estimatedRows !== undefined && (
          <span className="muted small number">about {numberText(step.estimatedRows)} rows</span>
        )}
      </summary>
      <div className="stack tight">
        {[...step.notes, ...(step.encoding ? [`speaks ${step.encoding}`] : [])].map((note) => (
          <p key={note} className="small wrap">
            {note}
          </p>
        ))}
        {step.creates.map((statement) => (
          <pre key={statement} className="small wrap creates">
            {statement}
          </pre>
        ))}
        <p className="muted small">{plural(columns.length, "column")}</p>
        <ul className="columns">
          {columns.map(({ name, type, nullable }) => (
            <li key={name}>
              <span className="mono cut" title={name}>
                {name}
              </span>
              <span className="muted mono cut">
                {type}
                {nullable ? "" : " not null"}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </details>
  )
}
