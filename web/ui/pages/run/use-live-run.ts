import { useCallback, useEffect, useState } from "react"
import type { Job, JobEvent, LogLine } from "../../../../core/server/jobs/dispatcher.ts"
import { ask } from "../../api/client.ts"
import { type LiveState, useLive } from "../../api/live.ts"
import { useRefresh } from "../../api/query.ts"
import { followRun, type LiveRun, nothingYet } from "./live-run.ts"

const EVENTS = ["job.state", "job.queued", "job.started", "job.logged", "job.progressed", "job.ended"] as const

/** What the server tells of a run; first how it stands. */
type RunEventOf = JobEvent | { readonly type: "job.state"; readonly job: Job }

/** A run with its log, kept up to date by events of the server. */
export function useLiveRun(run: Job): {
  readonly live: LiveRun
  readonly lines: readonly LogLine[]
  readonly state: LiveState
} {
  const refresh = useRefresh()
  const [live, setLive] = useState(nothingYet)
  const [lines, setLines] = useState<readonly LogLine[]>([])
  const isOpen = run.status === "queued" || run.status === "running"
  const addLines = useCallback(
    (more: readonly LogLine[]) =>
      setLines((known) => {
        const last = known.at(-1)?.line ?? Number.NEGATIVE_INFINITY
        const isNext = more.every(({ line }) => line > last)
        if (isNext) return [...known, ...more]
        const byLine = new Map([...known, ...more].map((one) => [one.line, one]))
        return [...byLine.values()].sort((a, b) => a.line - b.line)
      }),
    [],
  )
  const readLog = useCallback(async () => {
    for (let after: number | undefined; ; ) {
      const { items, next } = await ask("GET /runs/:id/logs", {
        params: { id: run.id },
        query: { limit: PAGE, ...(after !== undefined && { after }) },
      })
      addLines(items)
      if (next === undefined) return
      after = next
    }
  }, [run.id, addLines])
  // While the run goes on, its events tell the log from its beginning.
  useEffect(() => {
    if (!isOpen) void readLog().catch(() => {})
  }, [readLog, isOpen])
  const take = (event: RunEventOf) => {
    if (event.type === "job.state") {
      // It may have gone on between the reading of the page and the beginning of the events.
      if (event.job.status !== run.status) void refresh("/runs")
      return
    }
    if (event.type === "job.logged") addLines([event.line])
    else setLive((before) => followRun(before, event, Date.now()))
    if (event.type === "job.started" || event.type === "job.ended") void refresh("/runs")
  }
  const state = useLive<RunEventOf>(isOpen ? `/runs/${run.id}/events` : undefined, EVENTS, take, () => {
    void refresh("/runs")
  })
  return { live, lines, state }
}

const PAGE = 1000
