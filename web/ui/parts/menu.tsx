import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react"

/** A button with more to do behind it. Arrows move, Escape closes. */
export function Menu({
  button,
  children,
  up = false,
}: {
  button(props: { readonly "aria-haspopup": "menu"; readonly "aria-expanded": boolean; onClick(): void }): ReactNode
  /** Buttons or links with `role="menuitem"`. */
  readonly children: ReactNode
  readonly up?: boolean
}) {
  const [isOpen, setOpen] = useState(false)
  const element = useRef<HTMLDivElement>(null)
  const items = () => [...(element.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])]
  useEffect(() => {
    if (!isOpen) return
    items()[0]?.focus()
    const leave = (event: Event) => {
      if (event.target instanceof Node && !element.current?.contains(event.target)) setOpen(false)
    }
    addEventListener("pointerdown", leave)
    return () => removeEventListener("pointerdown", leave)
  })
  const move = (event: KeyboardEvent) => {
    if (!isOpen) return
    const all = items()
    const at = all.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key]
    if (to !== undefined) {
      event.preventDefault()
      all.at(to % all.length)?.focus()
    } else if (event.key === "Escape" || event.key === "Tab") {
      setOpen(false)
      if (event.key === "Escape") element.current?.querySelector<HTMLElement>("[aria-haspopup]")?.focus()
    }
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its items have the focus, it moves among them
    <div ref={element} className="menu" onKeyDown={move}>
      {button({ "aria-haspopup": "menu", "aria-expanded": isOpen, onClick: () => setOpen(!isOpen) })}
      {isOpen && (
        // biome-ignore lint/a11y/useKeyWithClickEvents: its items take keys
        <div className={`menu-list ${up ? "up" : ""}`} role="menu" tabIndex={-1} onClick={() => setOpen(false)}>
          {children}
        </div>
      )}
    </div>
  )
}
