import { type ReactNode, useEffect, useId, useRef, useState } from "react"
import type { Problem } from "../api/problem.ts"
import { problemOf } from "../api/problem.ts"
import { Button, IconButton } from "./button.tsx"
import { ProblemNotice } from "./notice.tsx"

/** A dialog of the browser: it keeps the focus, closes by Escape, and gives the focus back. Mounted means open. */
export function Dialog({
  title,
  close,
  children,
  className = "",
  bare = false,
}: {
  readonly title: string
  close(): void
  readonly children: ReactNode
  readonly className?: string
  /** Without a head; the title is for those who cannot see. */
  readonly bare?: boolean
}) {
  const id = useId()
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = element.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it too
    <dialog
      ref={element}
      className={className}
      aria-labelledby={bare ? undefined : id}
      aria-label={bare ? title : undefined}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        if (bare && event.target === element.current) close()
      }}
    >
      {!bare && (
        <div className="dialog-head">
          <h2 id={id}>{title}</h2>
          <IconButton label="Close" icon="close" onClick={close} />
        </div>
      )}
      {bare ? children : <div className="dialog-body">{children}</div>}
    </dialog>
  )
}

/** Asks before something that cannot be taken back; says why it did not work. */
export function Confirm({
  title,
  children,
  yes,
  act,
  close,
  look = "danger primary",
}: {
  readonly title: string
  readonly children?: ReactNode
  /** What the button says, a verb. */
  readonly yes: string
  act(): Promise<unknown>
  close(): void
  readonly look?: "danger primary" | "primary"
}) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const go = async () => {
    setBusy(true)
    try {
      await act()
      close()
    } catch (cause) {
      setProblem(problemOf(cause))
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} close={close}>
      {children && <div className="muted">{children}</div>}
      <ProblemNotice problem={problem} />
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look={look} busy={busy} onClick={go}>
          {yes}
        </Button>
      </div>
    </Dialog>
  )
}
