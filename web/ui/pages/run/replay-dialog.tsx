import { useState } from "react"
import { ask } from "../../api/client.ts"
import { Button, IconButton } from "../../parts/button.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { toast } from "../../parts/toast.tsx"
import { navigate } from "../../route/router.tsx"

/** Writes rejected rows, with columns mended by expressions. */
export function ReplayDialog({ run, close }: { readonly run: string; close(): void }) {
  const [mends, setMends] = useState<readonly (readonly [column: string, expression: string])[]>([["", ""]])
  const { busy, problem, submit } = useSubmit(async () => {
    const set = mends.flatMap(([column, value]) => (column.trim() === "" ? [] : [`${column.trim()}=${value}`]))
    const job = await ask("POST /runs/:id/replay", { params: { id: run }, body: { set } })
    toast("The replay has been queued")
    close()
    navigate(`/runs/${job.id}`)
  })
  const change = (nth: number, part: Partial<Record<0 | 1, string>>) =>
    setMends(mends.map((mend, at) => (at === nth ? [part[0] ?? mend[0], part[1] ?? mend[1]] : mend)))
  return (
    <Dialog title="Mend and replay" close={close}>
      <p className="muted">
        Waiting rows enter the flow where they were rejected. An expression gives a column a new value; without one,
        rows are tried as they are.
      </p>
      <ProblemNotice problem={problem} />
      {mends.map(([column, expression], nth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no other identity
        <div key={nth} className="row mend">
          <input
            className="input mono"
            aria-label={`Column ${nth + 1}`}
            placeholder="column"
            value={column}
            onChange={(event) => change(nth, { 0: event.target.value })}
          />
          <span aria-hidden="true">=</span>
          <input
            className="input mono grow"
            aria-label={`Expression ${nth + 1}`}
            placeholder="replace(total, ',', '.')"
            value={expression}
            onChange={(event) => change(nth, { 1: event.target.value })}
          />
          <IconButton
            label="Take the line away"
            icon="close"
            onClick={() => setMends(mends.filter((_, at) => at !== nth))}
          />
        </div>
      ))}
      <div>
        <Button look="plain" icon="plus" onClick={() => setMends([...mends, ["", ""]])}>
          Another column
        </Button>
      </div>
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" busy={busy} onClick={() => void submit()}>
          Replay
        </Button>
      </div>
    </Dialog>
  )
}
