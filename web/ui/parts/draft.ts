import { useEffect, useState } from "react"

/**
 * What somebody is writing, kept in this browser tab until it is saved or given up: leaving the page, reloading it or
 * signing in again loses nothing. Never for secrets.
 */
export function useDraft<T>(key: string, saved: T) {
  const name = `headrace.draft.${key}`
  const [state, setState] = useState<{ readonly name: string; readonly value: T | undefined }>(() => ({
    name,
    value: read<T>(name),
  }))
  // Another thing is edited now.
  const current = state.name === name ? state.value : read<T>(name)
  useEffect(() => {
    if (state.name !== name) setState({ name, value: read<T>(name) })
  }, [name, state.name])
  const value = current ?? saved
  const isChanged = current !== undefined && JSON.stringify(current) !== JSON.stringify(saved)
  const change = (next: T) => {
    sessionStorage.setItem(name, JSON.stringify(next))
    setState({ name, value: next })
  }
  const discard = () => {
    sessionStorage.removeItem(name)
    setState({ name, value: undefined })
  }
  return { value, isChanged, change, discard }
}

function read<T>(name: string): T | undefined {
  const text = sessionStorage.getItem(name)
  // Written above, by the same code.
  return text === null ? undefined : (JSON.parse(text) as T)
}
