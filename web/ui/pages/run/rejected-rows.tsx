import { useState } from "react"
import type { KeptRow } from "../../../../core/store/quarantine.ts"
import { ask, urlOf } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { numberText, plural } from "../../parts/number-text.ts"
import { Empty } from "../../parts/page.tsx"
import { Badge } from "../../parts/status.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { toast } from "../../parts/toast.tsx"
import { useMay } from "../../shell/session.tsx"
import { ReplayDialog } from "./replay-dialog.tsx"

/** Rows that were not written, with what is wrong with them; replayed or dropped from here. */
export function RejectedRows({ run, canReplay }: { readonly run: string; readonly canReplay: boolean }) {
  const may = useMay()
  const refresh = useRefresh()
  const [open, setOpen] = useState<"replay" | "drop">()
  const [limit, setLimit] = useState(50)
  const rows = useRead("GET /runs/:id/rejected", { params: { id: run }, query: { limit } }, { keep: true })
  const total = rows.data?.total ?? 0
  if (rows.error) return <FailureNotice cause={rows.error} />
  const waiting = rows.data?.items.some(({ status }) => status === "waiting")
  return (
    <div className="stack tight">
      {waiting && may("quarantine.write") && (
        <div className="actions">
          <Button icon="refresh" disabled={!canReplay} onClick={() => setOpen("replay")}>
            Mend and replay…
          </Button>
          <Button look="danger" onClick={() => setOpen("drop")}>
            Drop…
          </Button>
          <a className="button plain" href={urlOf(`/runs/${run}/rejected.jsonl`)} download>
            Download all
          </a>
          {!canReplay && <span className="muted small">Rows can be replayed once the run has ended.</span>}
        </div>
      )}
      <Table
        label="Rejected rows"
        rows={rows.data?.items}
        keyOf={(row) => String(row.id)}
        columns={COLUMNS}
        empty={<Empty title="No row was rejected">Rows that cannot be written are kept here with the reason.</Empty>}
      />
      {total > (rows.data?.items.length ?? 0) && (
        <div className="actions">
          {limit < MOST && <Button onClick={() => setLimit(Math.min(MOST, limit * 4))}>Show more</Button>}
          <span className="muted small">
            {numberText(rows.data?.items.length)} of {numberText(total)} rows
          </span>
        </div>
      )}
      {open === "replay" && <ReplayDialog run={run} close={() => setOpen(undefined)} />}
      {open === "drop" && (
        <Confirm
          title="Drop the rejected rows of this run?"
          yes="Drop them"
          close={() => setOpen(undefined)}
          act={async () => {
            const { dropped } = await ask("POST /runs/:id/drop-rejected", { params: { id: run }, body: {} })
            toast(`${plural(dropped, "row")} dropped`)
            await refresh("/runs/:id")
          }}
        >
          They are given up for good, and never come to the target. Rows that a replay has taken stay.
        </Confirm>
      )}
    </div>
  )
}

/** What the server gives at once; all of them are in the download. */
const MOST = 1000

const COLUMNS: readonly Column<KeptRow>[] = [
  {
    label: "Reason",
    cell: (row) => (
      <>
        <span className="wrap">{row.reason}</span>
        {row.record && <Record row={row} />}
      </>
    ),
  },
  { label: "Step", cell: (row) => <span className="wrap">{row.step}</span> },
  { label: "Row", cell: (row) => <span className="wrap">{row.position ?? row.row}</span> },
  { label: "Column", cell: (row) => <span className="mono wrap">{row.column ?? "–"}</span> },
  { label: "Value", cell: (row) => <Value text={row.value} /> },
  {
    label: "State",
    narrow: true,
    cell: (row) => (
      <Badge
        tone={row.status === "waiting" ? "warn" : row.status === "replayed" ? "good" : ""}
        text={STATES[row.status]}
      />
    ),
  },
]

const STATES = { waiting: "Waiting", replayed: "Replayed", dropped: "Dropped" } as const

function Record({ row }: { readonly row: KeptRow }) {
  return (
    <details className="record small">
      <summary>Whole row</summary>
      <dl>
        {Object.entries(row.record ?? {}).map(([name, value]) => (
          <div key={name} className={name === row.column ? "is-bad" : undefined}>
            <dt className="mono">{name}</dt>
            <dd>
              <Value text={value} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

function Value({ text }: { readonly text: string | null | undefined }) {
  if (text === undefined) return <span className="faint">–</span>
  return text === null ? <span className="faint">NULL</span> : <span className="mono wrap">{text.slice(0, 400)}</span>
}
