import { useEffect, useState } from "react"
import type { CheckedFlow } from "../../../../core/server/jobs/workbench.ts"
import { ask } from "../../api/client.ts"
import { type Problem, problemOf } from "../../api/problem.ts"

export interface Checked extends CheckedFlow {
  readonly state: "checking" | "checked" | "failed"
  readonly failure?: Problem
}

/** Lets the server check a document a moment after it was last changed. */
export function useCheck(document: string, environment: "prod" | "dev", when: boolean): Checked {
  const [checked, setChecked] = useState<Checked>({ state: "checking", problems: [], warnings: [] })
  useEffect(() => {
    if (!when) return
    const control = new AbortController()
    setChecked((before) => ({ ...before, state: "checking" }))
    const timer = setTimeout(async () => {
      try {
        const found = await ask("POST /check", { body: { document, environment } }, control.signal)
        setChecked({ ...found, state: "checked" })
      } catch (cause) {
        if (control.signal.aborted) return
        const failure = problemOf(cause)
        // A document that cannot be read at all is refused with what is wrong in it.
        if (failure.problems) setChecked({ state: "checked", problems: failure.problems, warnings: [] })
        else setChecked({ state: "failed", problems: [], warnings: [], failure })
      }
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      control.abort()
    }
  }, [document, environment, when])
  return checked
}

const PAUSE_MS = 600
