import type { ReactNode } from "react"

/** A part of a page that scrolls by itself: reachable by keyboard, and named. */
export function ScrollBox({
  label,
  className = "",
  children,
}: {
  readonly label: string
  readonly className?: string
  readonly children: ReactNode
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: otherwise nobody could scroll it without a mouse
    <section className={className} tabIndex={0} aria-label={label}>
      {children}
    </section>
  )
}
