import { useQuery } from "@tanstack/react-query"
import { useDeferredValue } from "react"
import { ask } from "../../api/client.ts"
import { problemOf } from "../../api/problem.ts"
import { ProblemNotice } from "../../parts/notice.tsx"
import { Skeleton } from "../../parts/page.tsx"
import { Time } from "../../parts/time.tsx"
import { draftOf, type ScheduleForm } from "./schedule-draft.ts"

/** The next ten firings of what is being typed, as the server counts them. */
export function FiringsPreview({ form }: { readonly form: ScheduleForm }) {
  const latest = useDeferredValue(form)
  const { recurrence, timeZone, effectiveFrom, effectiveTo } = draftOf(latest)
  const body = { recurrence, timeZone, effectiveFrom, effectiveTo, count: 10 }
  const found = useQuery({
    queryKey: ["schedule-previews", body],
    queryFn: ({ signal }) => ask("POST /schedule-previews", { body }, signal),
  })
  if (found.error) return <ProblemNotice problem={problemOf(found.error)} />
  if (!found.data) return <Skeleton lines={5} />
  if (found.data.firings.length === 0) return <p className="muted">It never fires.</p>
  const wall = zoneFormat(timeZone)
  return (
    <ol className="firings">
      {found.data.firings.map((at) => (
        <li key={at}>
          <span className="number">{wall.format(at)}</span>
          <span className="muted">
            <Time at={at} relative />
          </span>
        </li>
      ))}
    </ol>
  )
}

/** As the clock on the wall of the zone shows it. */
function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  const parts = {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  } as const
  try {
    return new Intl.DateTimeFormat("en-GB", { ...parts, timeZone })
  } catch {
    return new Intl.DateTimeFormat("en-GB", parts)
  }
}
