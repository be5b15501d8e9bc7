import type { ReactNode } from "react"
import { type Problem, problemOf } from "../api/problem.ts"
import { Icon, type IconName } from "./icon.tsx"

type Tone = "bad" | "warn" | "good" | "live"
const ICONS: Readonly<Record<Tone, IconName>> = { bad: "warn", warn: "warn", good: "check", live: "info" }

/** Something to know, in the page. Bad news are read out at once. */
export function Notice({
  tone = "live",
  title,
  children,
  action,
}: {
  readonly tone?: Tone
  readonly title: ReactNode
  readonly children?: ReactNode
  readonly action?: ReactNode
}) {
  return (
    <div className={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={ICONS[tone]} />
      <div className="wrap">
        <strong>{title}</strong>
        {children && <div className="muted">{children}</div>}
      </div>
      {action}
    </div>
  )
}

/** What the server did not like, as far as it belongs to no field that shows it already. */
export function ProblemNotice({
  problem,
  shown = () => false,
  action,
}: {
  readonly problem: Problem | undefined
  /** True for pointers that a field shows. */
  readonly shown?: (pointer: string) => boolean
  readonly action?: ReactNode
}) {
  if (problem === undefined) return null
  const title = problem.detail ?? problem.title
  const left = (problem.problems ?? []).filter(({ pointer }) => pointer === undefined || !shown(pointer))
  // The first of several is often the title itself.
  const texts = left.map(({ message, hint }) => [message === title ? "" : message, hint].filter(Boolean).join(". "))
  const lines = new Set([problem.hint ?? "", ...texts].filter(Boolean))
  return (
    <Notice tone="bad" title={title} action={action}>
      {[...lines].map((line) => (
        <p key={line}>{line}</p>
      ))}
    </Notice>
  )
}

export function FailureNotice({ cause, action }: { readonly cause: unknown; readonly action?: ReactNode }) {
  return <ProblemNotice problem={problemOf(cause)} action={action} />
}
