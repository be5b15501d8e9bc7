import type { JobCause } from "../../../../core/store/tables/job-tables.ts"

/** Who or what wanted a run. */
export function causeText({ kind, name }: JobCause): string {
  switch (kind) {
    case "person":
      return name
    case "trigger":
      return `Trigger ${name}`
    case "schedule":
      return `Schedule ${name}`
    case "retry":
      return "Retry"
    case "replay":
      return "Replay of rejected rows"
    default:
      return name
  }
}
