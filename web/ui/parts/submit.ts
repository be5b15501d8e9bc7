import { useState } from "react"
import { type Problem, problemOf } from "../api/problem.ts"

/** Does something once at a time, and keeps what the server said against it. */
export function useSubmit<A extends readonly unknown[]>(act: (...args: A) => Promise<unknown>) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const submit = async (...args: A): Promise<boolean> => {
    if (busy) return false
    setBusy(true)
    setProblem(undefined)
    try {
      await act(...args)
      return true
    } catch (cause) {
      setProblem(problemOf(cause))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { busy, problem, submit, forget: () => setProblem(undefined) }
}
