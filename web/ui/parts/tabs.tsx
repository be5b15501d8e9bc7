import type { KeyboardEvent, ReactNode } from "react"
import { Link } from "../route/router.tsx"

export interface Tab {
  readonly id: string
  readonly text: string
  readonly count?: number | undefined
  readonly isBad?: boolean
}

/** Parts of one thing, each with an address of its own. */
export function LinkTabs({
  label,
  tabs,
  current,
  to,
}: {
  readonly label: string
  readonly tabs: readonly Tab[]
  readonly current: string
  to(id: string): string
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.id} to={to(tab.id)} aria-current={tab.id === current ? "page" : undefined}>
          <TabText {...tab} />
        </Link>
      ))}
    </nav>
  )
}

/** Parts of one panel, of which one is shown. Arrows move. */
export function Tabs({
  label,
  tabs,
  current,
  change,
  children,
}: {
  readonly label: string
  readonly tabs: readonly Tab[]
  readonly current: string
  change(id: string): void
  readonly children: ReactNode
}) {
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    const at = tabs.findIndex(({ id }) => id === current)
    const next = tabs[(at + step + tabs.length) % tabs.length]
    if (next === undefined) return
    change(next.id)
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus()
  }
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} onKeyDown={move} tabIndex={-1}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            data-tab={tab.id}
            aria-selected={tab.id === current}
            tabIndex={tab.id === current ? 0 : -1}
            onClick={() => change(tab.id)}
          >
            <TabText {...tab} />
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-label={tabs.find(({ id }) => id === current)?.text}>
        {children}
      </div>
    </>
  )
}

function TabText({ text, count, isBad }: Tab) {
  return (
    <>
      {text}
      {count !== undefined && <span className={`count ${isBad ? "bad" : ""}`}>{count}</span>}
    </>
  )
}
