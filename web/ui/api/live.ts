import { useEffect, useRef, useState } from "react"
import { urlOf } from "./client.ts"

/** Whether live updates come in. */
export type LiveState = "connecting" | "live" | "broken"

/**
 * Listens to server-sent events while it is mounted. A broken line is taken up again, by the browser and by us where the
 * browser gives up; what was missed meanwhile is for `onGap` to read.
 */
export function useLive<E extends { readonly type: string }>(
  path: string | undefined,
  types: readonly E["type"][],
  on: (event: E) => void,
  onGap?: () => void,
): LiveState {
  const [state, setState] = useState<LiveState>("connecting")
  const handlers = useRef({ on, onGap })
  handlers.current = { on, onGap }
  const names = types.join(" ")
  useEffect(() => {
    if (path === undefined) return
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let wait = 500
    let isFirst = true
    const read = (message: MessageEvent<string>) => {
      // The API's own events; their type is the name of the message.
      handlers.current.on({ type: message.type, ...JSON.parse(message.data) } as E)
    }
    const open = () => {
      source = new EventSource(urlOf(path))
      source.onopen = () => {
        setState("live")
        wait = 500
        if (!isFirst) handlers.current.onGap?.()
        isFirst = false
      }
      for (const name of names.split(" ")) source.addEventListener(name, read)
      source.onerror = () => {
        setState("broken")
        if (source?.readyState !== EventSource.CLOSED) return
        timer = setTimeout(open, wait)
        wait = Math.min(wait * 2, 15_000)
      }
    }
    const close = () => {
      source?.close()
      clearTimeout(timer)
    }
    // A browser opens few lines to one server, so a tab that nobody looks at gives its own back.
    const look = () => {
      close()
      if (!document.hidden) open()
    }
    document.addEventListener("visibilitychange", look)
    open()
    return () => {
      document.removeEventListener("visibilitychange", look)
      close()
    }
  }, [path, names])
  return state
}
