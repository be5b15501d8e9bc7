import { Context } from "effect"
import type { Mark, RunSummary } from "./run-record.ts"

/** A mark with the flow that it belongs to. */
export interface KeptMark extends Mark {
  readonly flow: string
  /** When it was set: milliseconds since 1970. */
  readonly at: number
}

/** Sees the runs of the flow that nobody has recorded the end of, newest first, and throws to refuse. */
export type Judge = (running: readonly RunSummary[]) => void

/**
 * The marks of all flows, for whoever has to put one right by hand. Runs read and advance them through the run store. A
 * change and its judgement are one: no run can begin in between.
 */
export class Marks extends Context.Service<
  Marks,
  {
    /** By flow and step. */
    list(flow?: string): Promise<readonly KeptMark[]>
    set(mark: Omit<KeptMark, "at">, judge: Judge): Promise<void>
    /** Forgets the marks of a flow, or that of one step; resolves to their number. */
    drop(flow: string, step: string | undefined, judge: Judge): Promise<number>
  }
>()("core/store/Marks") {}

/** Stands where a mark names the run that has set it; like an id of a run, it tells the time. */
export function byHand(now: number): string {
  return `${new Date(now).toISOString().replaceAll(/[-:]|\.\d+Z$/g, "")}${BY_HAND}`
}

export function isByHand({ run }: Pick<Mark, "run">): boolean {
  return run.endsWith(BY_HAND)
}

const BY_HAND = "-by-hand"
