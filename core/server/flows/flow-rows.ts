import { and, asc, desc, eq, gt, inArray, lt, or, type SQL, sql } from "drizzle-orm"
import type { Queries } from "../../store/database.ts"
import type { Tables } from "../../store/tables.ts"
import type { SourceUse } from "../sources/source-registry.ts"
import type { FlowFilter, SavedFlow } from "./flow-library.ts"

export type FlowRow = Tables["flows"]["$inferSelect"]

export async function flowBy(
  { select, tables: { flows } }: Queries,
  key: { readonly name: string } | { readonly id: string },
) {
  const [row] = await select()
    .from(flows)
    .where("name" in key ? eq(flows.name, key.name.normalize("NFC")) : eq(flows.id, key.id))
  return row
}

/** One more than is asked for, to know whether there are more. */
export async function flowPage({ select, tables: { flows } }: Queries, { text, folder, after, limit }: FlowFilter) {
  const { document, ...columns } = columnsOf(flows)
  const conditions: (SQL | undefined)[] = [
    after === undefined ? undefined : gt(flows.id, after),
    folder === undefined || folder === "" ? undefined : inFolder(flows.folder, folder),
    text === undefined || text === "" ? undefined : or(holds(flows.name, text), holds(flows.description, text)),
  ]
  // Ids first: an index has all that they are chosen by.
  const chosen = select({ id: flows.id })
    .from(flows)
    .where(and(...conditions))
    .orderBy(asc(flows.id))
    .limit(limit + 1)
  return await select(columns).from(flows).where(inArray(flows.id, chosen)).orderBy(asc(flows.id))
}

type Flows = Tables["flows"]
type TextColumn = Flows["name"] | Flows["description"] | Flows["folder"]

function columnsOf(flows: Flows) {
  const { id, name, folder, description, hash, properties, owner, version } = flows
  const { createdAt, updatedAt, updatedBy, document } = flows
  return { id, name, folder, description, hash, properties, owner, version, createdAt, updatedAt, updatedBy, document }
}

function inFolder(column: TextColumn, folder: string): SQL | undefined {
  return or(eq(column, folder), sql`${column} LIKE ${`${escaped(folder)}/%`} ESCAPE '\\'`)
}

/** Letters of any case, as far as the database knows them. */
function holds(column: TextColumn, text: string): SQL | undefined {
  const pattern = (part: string) => `%${escaped(part)}%`
  return or(
    sql`${column} LIKE ${pattern(text)} ESCAPE '\\'`,
    sql`lower(${column}) LIKE ${pattern(text.toLowerCase())} ESCAPE '\\'`,
  )
}

function escaped(text: string): string {
  return text.replaceAll(/[\\%_]/g, "\\$&")
}

/** Keeps a flow as its newest version, with the data sources that it uses. */
export async function keepVersion(
  { insert, delete: remove, tables: { flowVersions, flowUses } }: Queries,
  { id, version, document, properties, updatedAt, updatedBy }: SavedFlow,
  { remark, uses }: { readonly remark: string; readonly uses: readonly SourceUse[] | undefined },
): Promise<void> {
  const kept = { flow: id, version, document, properties, remark, author: updatedBy, at: updatedAt }
  await insert(flowVersions).values(kept)
  if (uses === undefined) return
  await remove(flowUses).where(eq(flowUses.flow, id))
  if (uses.length === 0) return
  await insert(flowUses).values(uses.map(({ name, access }) => ({ flow: id, dataSource: name, access })))
}

export async function versionsOf(
  { select, tables: { flowVersions } }: Queries,
  flow: string,
  { before, limit }: { readonly before?: number; readonly limit: number },
) {
  const { version, remark, author, at } = flowVersions
  return await select({ version, remark, author, at })
    .from(flowVersions)
    .where(and(eq(flowVersions.flow, flow), before === undefined ? undefined : lt(version, before)))
    .orderBy(desc(version))
    .limit(limit)
}

export async function versionsAt(
  { select, tables: { flowVersions } }: Queries,
  flow: string,
  versions: readonly number[],
) {
  return await select()
    .from(flowVersions)
    .where(and(eq(flowVersions.flow, flow), inArray(flowVersions.version, [...versions])))
}

/** A run of the flow that has not come to its end. */
export async function liveRun({ select, tables: { jobs } }: Queries, flow: string) {
  const [job] = await select({ id: jobs.id, status: jobs.status })
    .from(jobs)
    .where(and(eq(jobs.flow, flow), inArray(jobs.status, ["queued", "running", "interrupted"])))
    .limit(1)
  return job
}

/** Under which name runs of an environment keep what they remember of a flow: one must not go on where the other was. */
export function nameIn(environment: "prod" | "dev", name: string): string {
  return environment === "prod" ? name : `${name} (${environment})`
}

export const environments = ["prod", "dev"] as const

/** What a flow has read goes on under its new name; what an earlier flow of that name has left is of another one. */
export async function moveMarks(queries: Queries, from: string, to: string): Promise<void> {
  const { marks } = queries.tables
  await dropMarks(queries, to)
  for (const environment of environments) {
    const moved = { flow: nameIn(environment, to) }
    await queries
      .update(marks)
      .set(moved)
      .where(eq(marks.flow, nameIn(environment, from)))
  }
}

export async function dropMarks({ delete: remove, tables: { marks } }: Queries, flow: string): Promise<void> {
  const names = environments.map((environment) => nameIn(environment, flow))
  await remove(marks).where(inArray(marks.flow, names))
}
