import { useEffect, useSyncExternalStore } from "react"
import { IconButton } from "./button.tsx"
import { Icon } from "./icon.tsx"

interface Toast {
  readonly id: number
  readonly text: string
}

/** Says in passing that something was done. What went wrong is said where it went wrong. */
export function toast(text: string): void {
  shown = [...shown.slice(-2), { id: ++last, text }]
  for (const listener of listeners) listener()
}

export function Toasts() {
  const toasts = useSyncExternalStore(subscribe, () => shown)
  const newest = toasts.at(-1)?.id
  useEffect(() => {
    if (newest === undefined) return
    const timer = setTimeout(() => dismiss(newest), 5000)
    return () => clearTimeout(timer)
  }, [newest])
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text }) => (
        <div key={id} className="toast">
          <Icon name="check" />
          <span>{text}</span>
          <IconButton label="Dismiss" icon="close" onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  )
}

function dismiss(id: number): void {
  shown = shown.filter((one) => one.id !== id && one.id > id - 1)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

let shown: readonly Toast[] = []
let last = 0
const listeners = new Set<() => void>()
