import { useState } from "react"
import { Button } from "./button.tsx"
import { ScrollBox } from "./scroll-box.tsx"

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
      <ScrollBox className="copy-text" label={label}>
        <pre>{text}</pre>
      </ScrollBox>
      <Button look="plain" icon={isDone ? "check" : "copy"} onClick={copy}>
        {isDone ? "Copied" : "Copy"}
      </Button>
    </div>
  )
}
