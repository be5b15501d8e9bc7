import type { StepCount } from "../../../../core/run/report.ts"
import { bytesText, numberText } from "../../parts/number-text.ts"
import { Empty } from "../../parts/page.tsx"
import { type Column, Table } from "../../parts/table.tsx"

/** Rows through every step, in the order of the flow. */
export function StepProgress({
  steps,
  use,
  estimatedRows,
}: {
  readonly steps: readonly StepCount[]
  readonly use: Readonly<Record<string, string>>
  readonly estimatedRows: number | undefined
}) {
  const columns: readonly Column<StepCount>[] = [
    {
      label: "Step",
      cell: (step) => (
        <>
          <span className="wrap">{step.step}</span>
          <span className="sub">{use[step.step] ?? step.kind}</span>
          {step.kind === "input" && estimatedRows !== undefined && estimatedRows > 0 && (
            <progress
              max={estimatedRows}
              value={Math.min(step.rowsOut, estimatedRows)}
              aria-label={`${step.step}: share of the estimated rows`}
            />
          )}
        </>
      ),
    },
    { label: "In", end: true, cell: (step) => (step.kind === "input" ? <Dash /> : numberText(step.rowsIn)) },
    { label: "Out", end: true, cell: (step) => numberText(step.rowsOut) },
    { label: "Rejected", end: true, cell: (step) => <Count value={step.rejected} /> },
    { label: "Filtered", end: true, cell: (step) => <Count value={step.filtered} /> },
    { label: "Bytes", end: true, cell: (step) => bytesText(step.bytes) },
  ]
  return (
    <Table
      label="Steps"
      rows={steps}
      keyOf={(step) => step.step}
      columns={columns}
      empty={<Empty title="No step has begun">Counts appear as soon as rows move.</Empty>}
    />
  )
}

function Count({ value }: { readonly value: number }) {
  return value === 0 ? <Dash /> : <>{numberText(value)}</>
}

function Dash() {
  return <span className="faint">–</span>
}
