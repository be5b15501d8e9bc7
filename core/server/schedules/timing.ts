import { Effect } from "effect"
import { readDay } from "../../flow/parameters/time-text.ts"
import { zoneNamed } from "../../flow/parameters/zone.ts"
import type { FlowProblem } from "../../flow/problem.ts"
import { refuse } from "../request-error.ts"
import type { Timing } from "./firings.ts"
import { patternOf } from "./pattern.ts"
import type { Recurrence } from "./recurrence.ts"

/** A schedule as it is written. */
export interface ScheduleDraft {
  readonly name: string
  readonly recurrence: Recurrence
  /** IANA name. */
  readonly timeZone: string
  /** `dry-run` records a success without moving a row, `skip` records that nothing was run. */
  readonly mode: "normal" | "dry-run" | "skip"
  /** What becomes of firings while no server ran: none, the last one, or each of them. */
  readonly missed: "skip" | "once" | "all"
  readonly effectiveFrom: string | null
  readonly effectiveTo: string | null
  readonly parameters: Readonly<Record<string, string>>
  readonly environment: "prod" | "dev"
}

/** The part of it that says when. */
export type TimingDraft = Pick<ScheduleDraft, "recurrence" | "timeZone" | "effectiveFrom" | "effectiveTo">

/** Reads when a schedule fires; every part that is wrong is named. */
export const timingOf = Effect.fnUntraced(function* (draft: TimingDraft) {
  const { effectiveFrom: from, effectiveTo: to } = draft
  const problems: FlowProblem[] = []
  const pattern = patternOf(draft.recurrence)
  if ("problem" in pattern) problems.push({ pointer: "/recurrence", message: pattern.problem })
  const zone = zoneNamed(draft.timeZone)
  if (zone === undefined)
    problems.push({
      pointer: "/timeZone",
      message: `There is no time zone "${draft.timeZone}"`,
      hint: "Use an IANA name such as Europe/Berlin or Asia/Shanghai",
    })
  for (const [pointer, day] of [
    ["/effectiveFrom", from],
    ["/effectiveTo", to],
  ] as const)
    if (day !== null && (readDay(day) === undefined || !day.includes("-")))
      problems.push({ pointer, message: `"${day}" is no day`, hint: "Write it as yyyy-mm-dd" })
  if (from !== null && to !== null && to < from)
    problems.push({ pointer: "/effectiveTo", message: `The last day ${to} comes before the first day ${from}` })
  if (problems.length > 0 || "problem" in pattern || zone === undefined)
    return yield* refuse("invalid", problems[0]?.message ?? "This schedule cannot be read", { problems })
  return { pattern, zone, from, to } satisfies Timing
})
