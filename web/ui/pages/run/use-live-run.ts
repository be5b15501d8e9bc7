import { useCallback, useEffect, useState } from "react"
import type { Job, JobEvent, LogLine } from "../../../../core/server/jobs/dispatcher.ts"
import { ask } from "../../api/client.ts"
import { type LiveState, useLive } from "../../api/live.ts"
import { useRefresh } from "../../api/query.ts"
import { followRun, type LiveRun, nothingYet } from "./live-run.ts"

const EVENTS = ["job.queued", "job.started", "job.logged", "job.progressed", "job.ended"] as const

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
      const { items } = await ask("GET /runs/:id/log", {
        params: { id: run.id },
        query: { limit: PAGE, ...(after !== undefined && { after }) },
      })
      addLines(items)
      if (items.length < PAGE) return
      after = items.at(-1)?.line
    }
  }, [run.id, addLines])
  // At the beginning, and once more at the end, when lines may have come that no event has told.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whether it is open is when to read
  useEffect(() => void readLog().catch(() => {}), [readLog, isOpen])
  const take = (event: JobEvent) => {
    if (event.type === "job.logged") addLines([event.line])
    else setLive((before) => followRun(before, event, Date.now()))
    if (event.type === "job.started" || event.type === "job.ended") void refresh("/runs")
  }
  const state = useLive<JobEvent>(isOpen ? `/runs/${run.id}/events` : undefined, EVENTS, take, () => {
    void readLog().catch(() => {})
    void refresh("/runs")
  })
  return { live, lines, state }
}

const PAGE = 200
