import { useEffect } from "react"
import { Dialog } from "../parts/dialog.tsx"
import { navigate } from "../route/router.tsx"
import { MANAGE, READ, WORK } from "./places.ts"

export interface KeyActions {
  search(): void
  help(): void
}

/** Keys that work everywhere, except while somebody types. */
export function useKeys({ search, help }: KeyActions): void {
  useEffect(() => {
    let goAt = 0
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault()
        search()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return
      if (document.querySelector("dialog[open]")) return
      const key = event.key.toLowerCase()
      const place = PLACES.find((one) => one.key === key)
      if (event.timeStamp - goAt < 1200 && place) navigate(place.to)
      else if (key === "?") help()
      else if (key === "/") {
        event.preventDefault()
        const filter = document.querySelector<HTMLElement>("main [type=search]")
        if (filter) filter.focus()
        else search()
      }
      goAt = key === "g" ? event.timeStamp : 0
    }
    addEventListener("keydown", press)
    return () => removeEventListener("keydown", press)
  }, [search, help])
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0]
  return target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable)
}

const PLACES = [...WORK, ...MANAGE, ...READ]

export function KeysHelp({ close }: { close(): void }) {
  const ctrl = /Mac|iP/.test(navigator.platform) ? "⌘" : "Ctrl"
  return (
    <Dialog title="Keyboard shortcuts" close={close}>
      <div className="keys">
        <Keys keys={[ctrl, "K"]} text="Go to a page, a flow or a data source" />
        <Keys keys={["/"]} text="Search in the list" />
        <Keys keys={["?"]} text="Show this list" />
        {PLACES.filter(({ key }) => key).map(({ key = "", text }) => (
          <Keys key={key} keys={["g", key]} text={text} />
        ))}
        <Keys keys={[ctrl, "S"]} text="Save, in the script editor" />
        <Keys keys={[ctrl, "Enter"]} text="Run, in the script editor" />
        <Keys keys={[ctrl, "Space"]} text="Complete, in the script editor" />
        <Keys keys={["Esc"]} text="Leave a dialog; in the script editor, then Tab, leave the editor" />
      </div>
    </Dialog>
  )
}

function Keys({ keys, text }: { readonly keys: readonly string[]; readonly text: string }) {
  return (
    <>
      <span className="row">
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </span>
      <span>{text}</span>
    </>
  )
}
