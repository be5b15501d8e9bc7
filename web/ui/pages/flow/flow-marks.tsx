import { useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import type { FlowMark } from "../../../../core/server/flows/flow-marks.ts"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm, Dialog } from "../../parts/dialog.tsx"
import { TextField } from "../../parts/field.tsx"
import { FailureNotice, ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { useMay } from "../../shell/session.tsx"

/** How far the incremental inputs of a flow have read; nothing, where it has none. */
export function FlowMarks({ flow }: { readonly flow: SavedFlow }) {
  const may = useMay()
  const refresh = useRefresh()
  const [open, setOpen] = useState<{ readonly kind: "set" | "forget"; readonly mark: FlowMark }>()
  const marks = useRead("GET /flows/:name/marks", { params: { name: flow.name } }, { everyMs: 5000 })
  const close = () => setOpen(undefined)
  const changed = () => refresh("/flows/:name/marks")
  if (marks.error) return <FailureNotice cause={marks.error} />
  if (marks.data === undefined || marks.data.items.length === 0) return null
  return (
    <section className="stack tight" aria-labelledby="marks">
      <h2 id="marks">Read so far</h2>
      <Table
        label="Marks"
        rows={marks.data.items}
        keyOf={({ step, environment }) => `${environment} ${step}`}
        columns={[
          ...COLUMNS,
          {
            ...{ label: "Actions", quiet: true, end: true },
            cell: (mark) =>
              may("flows.write") && (
                <span className="actions end-actions">
                  <Button look="plain" onClick={() => setOpen({ kind: "set", mark })}>
                    Set…
                  </Button>
                  <Button look="danger plain" onClick={() => setOpen({ kind: "forget", mark })}>
                    Forget…
                  </Button>
                </span>
              ),
          },
        ]}
      />
      {open?.kind === "set" && <SetMark flow={flow} mark={open.mark} close={close} done={changed} />}
      {open?.kind === "forget" && (
        <Confirm
          title={`Forget how far ${open.mark.step} has read?`}
          yes="Forget it"
          close={close}
          act={async () => {
            const params = { name: flow.name, step: open.mark.step }
            await ask("DELETE /flows/:name/marks/:step", { params, query: { environment: open.mark.environment } })
            await changed()
          }}
        >
          The next run reads everything. Where an output appends, rows are there twice then.
        </Confirm>
      )}
    </section>
  )
}

function SetMark({
  flow,
  mark,
  close,
  done,
}: {
  readonly flow: SavedFlow
  readonly mark: FlowMark
  close(): void
  done(): Promise<void>
}) {
  const [value, setValue] = useState(mark.mark)
  const { busy, problem, submit } = useSubmit(async () => {
    const params = { name: flow.name, step: mark.step }
    await ask("PUT /flows/:name/marks/:step", {
      ...{ params, query: { environment: mark.environment } },
      body: { mark: value },
    })
    await done()
    close()
  })
  return (
    <Dialog title={`How far ${mark.step} has read`} close={close}>
      <ProblemNotice problem={problem} shown={(pointer) => pointer === "/mark"} />
      <TextField
        label="Mark"
        hint="The next run reads what is larger. Where an output appends, rows that are read again are there twice."
        value={value}
        change={setValue}
        error={fieldError(problem, "/mark")}
        autoFocus
      />
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" busy={busy} onClick={() => void submit()}>
          Set
        </Button>
      </div>
    </Dialog>
  )
}

const COLUMNS: readonly Column<FlowMark>[] = [
  {
    label: "Step",
    cell: ({ step, environment }) => (
      <>
        <strong className="wrap">{step}</strong>
        {environment === "dev" && <span className="sub">Development</span>}
      </>
    ),
  },
  { label: "Reads", cell: ({ reads }) => <span className="wrap">{reads}</span> },
  { label: "Up to", cell: ({ mark }) => <span className="mono wrap">{mark}</span> },
  {
    label: "Set",
    cell: ({ at, run }) => (
      <>
        <Time at={at} relative />
        {run === undefined && <span className="sub">by hand</span>}
      </>
    ),
  },
]
