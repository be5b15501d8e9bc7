import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import type { FlowProperties } from "../../../../core/store/tables/flow-tables.ts"

/** Properties while they are typed: numbers are text until they are sent. */
export interface PropertiesDraft {
  readonly name: string
  readonly folder: string
  readonly description: string
  readonly priority: string
  readonly timeoutHours: string
  readonly retries: string
  readonly retryMinutes: string
  readonly onCrash: string
  readonly concurrency: string
  /** The version that they are a change of. */
  readonly base: number
}

export function draftOf({ name, folder, description, properties, version }: SavedFlow): PropertiesDraft {
  const { priority, timeoutHours, retries, retryMinutes, onCrash, concurrency } = properties
  return {
    ...{ name, folder, description, onCrash, base: version },
    ...{ priority: String(priority), timeoutHours: String(timeoutHours), retries: String(retries) },
    ...{ retryMinutes: String(retryMinutes), concurrency: String(concurrency) },
  }
}

export function propertiesBody(draft: PropertiesDraft) {
  const properties: FlowProperties = {
    priority: Number(draft.priority),
    timeoutHours: Number(draft.timeoutHours),
    retries: Number(draft.retries),
    retryMinutes: Number(draft.retryMinutes),
    onCrash: draft.onCrash === "fail" ? "fail" : "resume",
    concurrency: Number(draft.concurrency),
  }
  return { name: draft.name.trim(), folder: draft.folder.trim(), description: draft.description, properties }
}
