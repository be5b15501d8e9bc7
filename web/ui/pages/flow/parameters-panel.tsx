import { useQuery } from "@tanstack/react-query"
import type { PreviewedParameter } from "../../../../core/flow/parameters/index.ts"
import { ask } from "../../api/client.ts"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty, Skeleton } from "../../parts/page.tsx"
import { Table } from "../../parts/table.tsx"
import { type Occasion, OccasionBar, occasionBody } from "./question-bar.tsx"

/** What the parameters and date expressions of a flow mean on a day. */
export function ParametersPanel({
  document,
  occasion,
  change,
}: {
  readonly document: string
  readonly occasion: Occasion
  change(occasion: Occasion): void
}) {
  const found = useParameters(document, occasion)
  return (
    <div className="stack tight">
      <OccasionBar value={occasion} change={change} />
      {found.error ? <FailureNotice cause={found.error} /> : null}
      {found.isPending && <Skeleton lines={4} />}
      {found.data && (
        <>
          <p className="muted small">
            Business date {found.data.bizdate}, scheduled at {found.data.scheduledAt}
          </p>
          <Table
            label="Parameters"
            rows={found.data.parameters}
            keyOf={(one) => `${one.name} ${one.source}`}
            columns={[
              { label: "Parameter", cell: (one) => <span className="mono wrap">{one.name}</span> },
              { label: "Value", cell: (one) => <span className="mono wrap">{one.value}</span> },
              { label: "Type", cell: (one) => <span className="muted">{one.type}</span> },
              {
                label: "Comes from",
                cell: (one) => <span className="muted">{SOURCES[one.source] ?? one.source}</span>,
              },
            ]}
            empty={<Empty title="No parameters">Write {"${name}"} in a step, and declare it under “parameters”.</Empty>}
          />
        </>
      )}
    </div>
  )
}

export interface FoundParameters {
  readonly bizdate: string
  readonly scheduledAt: string
  readonly parameters: readonly PreviewedParameter[]
}

export function useParameters(document: string, occasion: Occasion, parameters: Readonly<Record<string, string>> = {}) {
  const body = { document, ...occasionBody(occasion), parameters }
  return useQuery({
    queryKey: ["parameters", body],
    queryFn: async ({ signal }) => (await ask("POST /parameters", { body }, signal)) as FoundParameters,
    placeholderData: (before) => before,
  })
}

const SOURCES: Readonly<Record<string, string>> = {
  given: "what was given",
  default: "its default",
  builtin: "built in",
  empty: "nothing: empty",
  businessDate: "the business date",
  scheduledTime: "the scheduled time",
}
