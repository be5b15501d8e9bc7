/** An event that a server has sent: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface ServerEvent {
  readonly type: string
  readonly data: string
  /** Where a reader goes on that comes back. */
  readonly id?: string
}

/** Events as they come, until the stream ends or `signal` says to stop. One on which nothing comes for long has ended. */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const reader = body.getReader()
  const stop = () => void reader.cancel().catch(() => {}) // how it ends is of no interest
  signal.addEventListener("abort", stop, { once: true })
  const decoder = new TextDecoder()
  let waiting = ""
  try {
    for (;;) {
      const silence = setTimeout(stop, SILENCE_MS)
      const { done, value } = await reader.read().finally(() => clearTimeout(silence))
      if (done) return
      waiting += decoder.decode(value, { stream: true }).replaceAll("\r", "")
      const blocks = waiting.split("\n\n")
      waiting = blocks.pop()!
      if (waiting.length > MOST_CHARACTERS) throw new Error("An event has no end")
      for (const block of blocks) {
        const event = eventOf(block)
        if (event !== undefined) yield event
      }
    }
  } finally {
    signal.removeEventListener("abort", stop)
    stop()
  }
}

function eventOf(block: string): ServerEvent | undefined {
  let [type, id]: (string | undefined)[] = ["message", undefined]
  const data: string[] = []
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === "event") type = value
    else if (field === "id") id = value
    else if (field === "data") data.push(value)
  }
  if (data.length === 0) return undefined
  return { type: type!, data: data.join("\n"), ...(id === undefined ? {} : { id }) }
}

/** Servers send a sign of life every 15 s. */
const SILENCE_MS = 60_000
const MOST_CHARACTERS = 32 * 1024 * 1024
