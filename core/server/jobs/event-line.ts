import type { RunEvent } from "../../events/events.ts"
import type { LogLine } from "./dispatcher.ts"

/** What an event says in a log; most say nothing there. */
export function eventLine(event: RunEvent): Pick<LogLine, "level" | "step" | "text"> | undefined {
  switch (event.type) {
    case "run.started": {
      const about = event.estimatedRows === undefined ? "" : `, about ${event.estimatedRows} rows`
      const steps = event.steps.map(({ id, use }) => `${id} (${use})`).join(", ")
      return { level: "info", step: null, text: `planned: ${steps}${about}` }
    }
    case "input.opened": {
      const splits = event.splits === 1 ? "one split" : `${event.splits} splits`
      const state = event.splits === 1 || event.oneSnapshot ? "" : ", which do not see one state of the data"
      const note = event.note === undefined ? "" : `: ${event.note}`
      return { level: "info", step: event.step, text: `opened: ${splits}${state}${note}` }
    }
    case "split.committed":
      return { level: "info", step: null, text: `split ${event.split} committed: ${event.rows} rows` }
    case "split.failed":
      return { level: "warn", step: null, text: `split ${event.split} failed (${event.reason}): ${event.message}` }
    case "split.retried":
      return {
        level: "warn",
        step: null,
        text: `split ${event.split} is tried again in ${event.waitMs} ms (${event.reason}): ${event.message}`,
      }
    default:
      return undefined
  }
}
