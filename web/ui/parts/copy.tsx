import { useState } from "react"
import { Button } from "./button.tsx"

/** Text to take along: a token, a command. */
export function Copy({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [isDone, setDone] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setDone(true)
    setTimeout(() => setDone(false), 1600)
  }
  return (
    <div className="copy">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard */}
      <pre tabIndex={0} aria-label={label}>{text}</pre>
      <Button look="plain" icon={isDone ? "check" : "copy"} onClick={copy}>
        {isDone ? "Copied" : "Copy"}
      </Button>
    </div>
  )
}
