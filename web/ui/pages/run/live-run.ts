import type { RunReport, StepCount } from "../../../../core/run/report.ts"
import type { JobEvent } from "../../../../core/server/jobs/dispatcher.ts"

/** How far a run was at one moment. */
export interface Sample {
  readonly at: number
  readonly read: number
  readonly written: number
}

/** What is known of a run while it goes on. */
export interface LiveRun {
  readonly steps: readonly StepCount[]
  readonly use: Readonly<Record<string, string>>
  readonly estimatedRows: number | undefined
  readonly splits: number
  readonly committed: number
  readonly active: readonly string[]
  readonly retries: number
  readonly rejected: number
  readonly samples: readonly Sample[]
  readonly report: RunReport | undefined
}

export const nothingYet: LiveRun = {
  steps: [],
  use: {},
  estimatedRows: undefined,
  splits: 0,
  committed: 0,
  active: [],
  retries: 0,
  rejected: 0,
  samples: [],
  report: undefined,
}

/** Takes one event in. */
export function followRun(run: LiveRun, jobEvent: JobEvent, now: number): LiveRun {
  if (jobEvent.type === "job.started") return { ...nothingYet, samples: [{ at: now, read: 0, written: 0 }] }
  if (jobEvent.type !== "job.progressed") return run
  const { event } = jobEvent
  switch (event.type) {
    case "run.started":
      return {
        ...run,
        use: Object.fromEntries(event.steps.map(({ id, use }) => [id, use])),
        estimatedRows: event.estimatedRows,
        steps: event.steps.map(({ id, kind }) => ({ ...NO_ROWS, step: id, kind: kind as StepCount["kind"] })), // its own words
      }
    case "input.opened":
      return { ...run, splits: run.splits + event.splits }
    case "split.started":
      return { ...run, active: [...run.active.filter((one) => one !== event.split), event.split] }
    case "split.committed":
      return { ...run, committed: run.committed + 1, active: run.active.filter((one) => one !== event.split) }
    case "split.failed":
      return { ...run, active: run.active.filter((one) => one !== event.split) }
    case "split.retried":
      return { ...run, retries: run.retries + 1 }
    case "run.progressed": {
      const sample = { at: now, ...totals(event.steps) }
      return { ...run, steps: event.steps, rejected: event.rejected, samples: [...thinned(run.samples), sample] }
    }
    case "run.finished":
      return { ...run, report: event.report, steps: event.report.steps, active: [] }
    default:
      return run
  }
}

/** Rows that came out of inputs, and that outputs have written. */
export function totals(steps: readonly StepCount[]): { readonly read: number; readonly written: number } {
  const sum = (kind: StepCount["kind"]) =>
    steps.reduce((total, step) => total + (step.kind === kind ? step.rowsOut : 0), 0)
  return { read: sum("input"), written: sum("output") }
}

/** Rows per second between samples; a count that falls, after a retry, is no rate. */
export function rates(
  samples: readonly Sample[],
  of: "read" | "written",
): readonly { readonly at: number; readonly rate: number }[] {
  return samples.slice(1).flatMap((sample, nth) => {
    const before = samples[nth]
    if (before === undefined || sample.at <= before.at) return []
    return [{ at: sample.at, rate: Math.max(0, ((sample[of] - before[of]) * 1000) / (sample.at - before.at)) }]
  })
}

/** A long run keeps every second sample of the past, so that a plot stays small. */
function thinned(samples: readonly Sample[]): readonly Sample[] {
  return samples.length < MOST_SAMPLES ? samples : samples.filter((_, nth) => nth % 2 === 0)
}

const MOST_SAMPLES = 600
const NO_ROWS = { rowsIn: 0, rowsOut: 0, rejected: 0, filtered: 0, made: 0, bytes: 0 }
