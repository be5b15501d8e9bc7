import { useState } from "react"
import type { Job } from "../../../../core/server/jobs/dispatcher.ts"
import { ask } from "../../api/client.ts"
import { Button } from "../../parts/button.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { CheckField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { navigate } from "../../route/router.tsx"

/** Goes on with a run that did not end well. */
export function ResumeDialog({ run, close, done }: { readonly run: Job; close(): void; done(): void }) {
  const [options, setOptions] = useState({ newSnapshot: false, restart: false, force: false })
  const set = (part: Partial<typeof options>) => setOptions({ ...options, ...part })
  const { busy, problem, submit } = useSubmit(async () => {
    const job = await ask("POST /runs/:id/resume", { params: { id: run.id }, body: options })
    done()
    close()
    if (job.id !== run.id) navigate(`/runs/${job.id}`)
  })
  return (
    <Dialog title="Resume the run" close={close}>
      <p className="muted">
        Splits that were committed stay as they are; what is missing is read and written now. No row is lost or there
        twice.
      </p>
      <ProblemNotice problem={problem} />
      <CheckField
        label="Read what is left from a new snapshot"
        hint="The source may have changed since the run began. Without it, a run whose snapshot is gone is refused."
        value={options.newSnapshot}
        change={(newSnapshot) => set({ newSnapshot })}
      />
      <CheckField
        label="Begin from the start"
        hint="This run is given up, and another one reads and writes everything anew."
        value={options.restart}
        change={(restart) => set({ restart })}
      />
      {options.restart && (
        <CheckField
          label="Leave behind what cannot be removed"
          hint="Such as a staged table at a server that is gone."
          value={options.force}
          change={(force) => set({ force })}
        />
      )}
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" busy={busy} onClick={() => void submit()}>
          Resume
        </Button>
      </div>
    </Dialog>
  )
}
