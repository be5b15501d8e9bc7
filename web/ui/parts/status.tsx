import type { JobStatus } from "../../../core/store/tables/job-tables.ts"
import { Icon, type IconName } from "./icon.tsx"

type Tone = "good" | "bad" | "warn" | "live" | ""

const SHOWN: Readonly<Record<JobStatus, readonly [text: string, tone: Tone, icon: IconName]>> = {
  queued: ["Queued", "", "clock"],
  running: ["Running", "live", "dot"],
  interrupted: ["Interrupted", "warn", "pause"],
  succeeded: ["Succeeded", "good", "check"],
  failed: ["Failed", "bad", "close"],
  cancelled: ["Cancelled", "", "stop"],
  skipped: ["Skipped", "", "right"],
}

export const JOB_STATUSES = Object.keys(SHOWN) as readonly JobStatus[]

export function statusText(status: JobStatus): string {
  return SHOWN[status]?.[0] ?? status
}

/** How a run stands: by a word and a shape, and by colour only besides. */
export function Status({ status, isEnding = false }: { readonly status: JobStatus; readonly isEnding?: boolean }) {
  const [text, tone, icon] = SHOWN[status] ?? [status, "", "dot"]
  return <Badge tone={tone} icon={icon} text={isEnding ? "Ending" : text} />
}

export function Badge({
  tone = "",
  icon,
  text,
}: {
  readonly tone?: Tone
  readonly icon?: IconName
  readonly text: string
}) {
  return (
    <span className={`badge ${tone}`}>
      {icon && (
        <span className="beat row">
          <Icon name={icon} size={13} />
        </span>
      )}
      {text}
    </span>
  )
}
