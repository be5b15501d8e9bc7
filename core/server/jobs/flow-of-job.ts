import { and, eq } from "drizzle-orm"
import { Effect } from "effect"
import type { Queries, StoreDatabase } from "../../store/database.ts"
import type { FlowLibrary, SavedFlow } from "../flows/flow-library.ts"
import { usualProperties } from "../flows/flow-properties.ts"
import { refuse } from "../request-error.ts"
import type { UnsavedFlow } from "./dispatcher.ts"
import type { JobRow } from "./job-row.ts"

/** What a job runs. One that is not saved has no id, and is version 0. */
export type FlowOfJob = Pick<SavedFlow, "id" | "name" | "version" | "document" | "properties">

/** A document that is run without being saved, as it would be were it saved with nothing said. */
export function unsavedFlow({ title, document }: UnsavedFlow): FlowOfJob {
  return { id: "", name: title, version: 0, document, properties: usualProperties }
}

export function isSaved({ version }: Pick<FlowOfJob, "version">): boolean {
  return version > 0
}

interface Stores {
  readonly library: FlowLibrary["Service"]
  readonly database: StoreDatabase["Service"]
}

/** The version that a job runs, under the name that the flow has now; or the document that is attached to it. */
export const flowOfJob = Effect.fnUntraced(function* (
  { library, database }: Stores,
  { id, flow, flowName, flowVersion }: Pick<JobRow, "id" | "flow" | "flowName" | "flowVersion">,
) {
  if (!isSaved({ version: flowVersion })) {
    const document = yield* database.read((queries) => attachmentOf(queries, id, "flow"))
    if (document === undefined) return yield* refuse("missing", `The document of run "${id}" is not there any more`)
    return unsavedFlow({ title: flowName, document })
  }
  const saved = yield* library.byId(flow)
  return saved.version === flowVersion ? saved : yield* library.version(saved.name, flowVersion)
})

type Kind = "flow" | "rows"

/** What a job has brought along. */
export type Attachments = { readonly [K in Kind]?: string }

export async function attachmentOf(
  { select, tables: { jobAttachments } }: Queries,
  job: string,
  kind: Kind,
): Promise<string | undefined> {
  const [found] = await select({ content: jobAttachments.content })
    .from(jobAttachments)
    .where(and(eq(jobAttachments.job, job), eq(jobAttachments.kind, kind)))
  return found?.content
}

/** Edited rows are data, and nobody asks for them once their replay has ended: it is not gone on with. */
export async function forgetRows({ delete: remove, tables: { jobAttachments } }: Queries, { id, start }: JobRow) {
  if (start.kind !== "replay" || start.isOfRows !== true) return
  await remove(jobAttachments).where(and(eq(jobAttachments.job, id), eq(jobAttachments.kind, "rows")))
}

export async function attach({ insert, tables: { jobAttachments } }: Queries, job: string, brought: Attachments) {
  const kinds: readonly Kind[] = ["flow", "rows"]
  const rows = kinds.flatMap((kind) => {
    const content = brought[kind]
    return content === undefined ? [] : [{ job, kind, content }]
  })
  if (rows.length > 0) await insert(jobAttachments).values(rows)
}
