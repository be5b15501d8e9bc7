import { useState } from "react"
import { ask } from "../../api/client.ts"
import { Button } from "../../parts/button.tsx"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { durationText } from "../../parts/number-text.ts"
import { useSubmit } from "../../parts/submit.ts"
import type { ConfigSchema } from "./config-schema.ts"
import { draftOf, type SourceForm } from "./source-draft.ts"
import { useSourceType } from "./source-type.ts"

/** Tries a connection as it is typed, before it is saved. */
export function ConnectionTest({
  form,
  schema,
  environment,
}: {
  readonly form: SourceForm
  readonly schema: ConfigSchema
  readonly environment: "prod" | "dev"
}) {
  const type = useSourceType()
  const [found, setFound] = useState<{ readonly server: string; readonly durationMs: number }>()
  const { busy, problem, submit } = useSubmit(async () => {
    setFound(undefined)
    setFound(await ask("POST /source-tests", { body: { ...draftOf(type, form, schema), environment } }))
  })
  return (
    <div className="stack tight">
      <div className="actions">
        <Button icon="link" busy={busy} onClick={() => void submit()}>
          Test the connection
        </Button>
      </div>
      {found && (
        <Notice tone="good" title={`Connected to ${found.server}`}>
          In {durationText(found.durationMs)}.
        </Notice>
      )}
      <ProblemNotice problem={problem} />
    </div>
  )
}
