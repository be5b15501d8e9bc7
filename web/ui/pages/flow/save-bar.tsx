import { useEffect, useRef, useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { ask } from "../../api/client.ts"
import { problemOf } from "../../api/problem.ts"
import { useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { DiffView } from "../../parts/diff-view.tsx"
import type { useDraft } from "../../parts/draft.ts"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { toast } from "../../parts/toast.tsx"
import type { ScriptDraft } from "./flow-page.tsx"

/** Saves the script as the next version, and says so when somebody else was faster. */
export function SaveBar({
  flow,
  draft,
  setSave,
}: {
  readonly flow: SavedFlow
  readonly draft: ReturnType<typeof useDraft<ScriptDraft>>
  setSave(save: () => () => void): void
}) {
  const refresh = useRefresh()
  const [remark, setRemark] = useState("")
  const { document, base } = draft.value
  const isChanged = document !== flow.document
  const isBehind = isChanged && base < flow.version
  const { busy, problem, submit, forget } = useSubmit(async () => {
    const { name, folder, description, properties } = flow
    const body = { name, folder, description, properties, document, remark, version: base }
    try {
      const saved = await ask("PUT /flows/:name", { params: { name }, body })
      await refresh("/flows")
      draft.discard()
      setRemark("")
      toast(`Saved as version ${saved.version}`)
    } catch (cause) {
      // What is there now is shown beside what was written.
      if (problemOf(cause).status === 409) await refresh("/flows")
      throw cause
    }
  })
  const save = useRef(() => {})
  save.current = () => {
    if (isChanged && !isBehind) void submit()
  }
  useEffect(() => setSave(() => () => save.current()), [setSave])
  return (
    <>
      <div className="save-bar">
        <input
          className="input"
          aria-label="What has changed"
          placeholder={isChanged ? "What has changed (optional)" : "No changes"}
          value={remark}
          maxLength={200}
          disabled={!isChanged}
          onChange={(event) => setRemark(event.target.value)}
        />
        <Button
          look="plain"
          disabled={!isChanged}
          onClick={() => {
            draft.discard()
            forget()
          }}
        >
          Discard
        </Button>
        <Button busy={busy} disabled={!isChanged || isBehind} onClick={() => void submit()}>
          Save
        </Button>
      </div>
      {problem && problem.status !== 409 && <ProblemNotice problem={problem} />}
      {isBehind && (
        <Notice
          tone="warn"
          title={`Version ${flow.version} was saved meanwhile, while you were writing on version ${base}`}
          action={
            <div className="stack tight">
              <Button onClick={() => draft.change({ document, base: flow.version })}>Keep mine</Button>
              <Button look="plain" onClick={draft.discard}>
                Take theirs
              </Button>
            </div>
          }
        >
          <p>From theirs to yours:</p>
          <DiffView label="From theirs to yours" before={flow.document} after={document} />
        </Notice>
      )}
    </>
  )
}
