import { type KeyboardEvent, useState } from "react"
import { useRead } from "../api/query.ts"
import { Dialog } from "../parts/dialog.tsx"
import { Icon, type IconName } from "../parts/icon.tsx"
import { navigate } from "../route/router.tsx"
import { MANAGE, READ, WORK } from "./places.ts"
import { useMay } from "./session.tsx"

interface Target {
  readonly to: string
  readonly text: string
  readonly icon: IconName
  readonly kind: string
}

/** Goes anywhere by a few letters. */
export function Palette({ close }: { close(): void }) {
  const [text, setText] = useState("")
  const [at, setAt] = useState(0)
  const targets = useTargets(text)
  const current = Math.min(at, targets.length - 1)
  const go = (target: Target | undefined) => {
    if (!target) return
    close()
    navigate(target.to)
  }
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      setAt((current + step + targets.length) % Math.max(1, targets.length))
    } else if (event.key === "Enter") go(targets[current])
  }
  return (
    <Dialog bare title="Go to" className="palette" close={close}>
      <input
        type="text"
        role="combobox"
        aria-label="Go to a page, a flow or a data source"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={targets[current] && `palette-${current}`}
        placeholder="Page, flow or data source"
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={press}
      />
      <div id="palette-list" className="options" role="listbox" tabIndex={-1} aria-label="Where to">
        {targets.map((target, nth) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input keeps the focus and takes the keys
          <div
            key={target.to}
            id={`palette-${nth}`}
            className="option"
            tabIndex={-1}
            role="option"
            aria-selected={nth === current}
            onClick={() => go(target)}
            onPointerMove={() => setAt(nth)}
          >
            <Icon name={target.icon} />
            <span className="cut">{target.text}</span>
            <span className="faint">{target.kind}</span>
          </div>
        ))}
        {targets.length === 0 && <div className="option muted">Nothing is called “{text}”</div>}
      </div>
    </Dialog>
  )
}

function useTargets(text: string): readonly Target[] {
  const may = useMay()
  const word = text.trim().toLowerCase()
  const flows = useRead(
    "GET /flows",
    { query: { text: text.trim(), limit: 12 } },
    { when: word !== "" && may("flows.read"), keep: true },
  )
  const sources = useRead("GET /sources", {}, { when: word !== "" && may("sources.read") })
  const pages = [...WORK, ...MANAGE, ...READ, { to: "/account", text: "Account and tokens", icon: "key" as const }]
    .filter((place) => !("needs" in place) || place.needs === undefined || may(place.needs))
    .map(({ to, text, icon }) => ({ to, text, icon, kind: "Page" }))
  const all: readonly Target[] = [
    ...pages,
    ...(flows.data?.items ?? []).map(({ name }) => ({
      to: `/flows/${encodeURIComponent(name)}`,
      text: name,
      icon: "flows" as const,
      kind: "Flow",
    })),
    ...(sources.data?.items ?? []).map(({ name }) => ({
      to: `/sources/${encodeURIComponent(name)}`,
      text: name,
      icon: "sources" as const,
      kind: "Data source",
    })),
  ]
  return word === "" ? pages : all.filter((one) => one.text.toLowerCase().includes(word)).slice(0, 20)
}
