import { and, desc, eq, gte, inArray, like, lt, type SQL } from "drizzle-orm"
import { Effect } from "effect"
import type { Queries, StoreDatabase } from "../../store/database.ts"
import type { JobFilter } from "./dispatcher.ts"
import { type JobRow, jobOf } from "./job-row.ts"

/** A page of jobs, newest first. Ids grow with time, so that they are all that is sorted by. */
export const listJobs = Effect.fnUntraced(function* (database: StoreDatabase["Service"], filter: JobFilter) {
  const limit = Math.min(filter.limit, MOST_ITEMS)
  const rows = yield* database.read((queries) => found(queries, { ...filter, limit: limit + 1 }))
  const items = rows.slice(0, limit).map(jobOf)
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: last.id } : { items }
})

async function found(queries: Queries, filter: JobFilter): Promise<readonly JobRow[]> {
  const { select, tables } = queries
  const { jobs } = tables
  const { statuses, from, to, after, limit } = filter
  if (filter.text !== undefined && ID.test(filter.text)) {
    const text = filter.text.toLowerCase()
    return await select()
      .from(jobs)
      .where(and(gte(jobs.id, text), lt(jobs.id, `${text}g`)))
      .orderBy(desc(jobs.id))
      .limit(limit)
  }
  const flows = await flowsOf(queries, filter)
  // Documents that are not saved have no name to look up, only a title.
  const titled =
    filter.text === undefined || filter.flow !== undefined ? undefined : like(jobs.flowName, holding(filter.text))
  const times = [
    ...(after === undefined ? [] : [lt(jobs.id, after)]),
    ...(from === undefined ? [] : [gte(jobs.id, idAt(from))]),
    ...(to === undefined ? [] : [lt(jobs.id, idAt(to + 1))]),
  ]
  const page = (...conditions: readonly SQL[]) =>
    select()
      .from(jobs)
      .where(and(...times, ...conditions))
      .orderBy(desc(jobs.id))
      .limit(limit)
  // One look for each index range, since each of them is in the order that is wanted.
  if (flows !== undefined) {
    const ofStatus = statuses === undefined ? [] : [inArray(jobs.status, [...statuses])]
    const pages = flows.map((flow) => page(eq(jobs.flow, flow), ...ofStatus))
    if (titled !== undefined) pages.push(page(eq(jobs.flow, ""), titled, ...ofStatus))
    return merged(await Promise.all(pages), limit)
  }
  if (statuses !== undefined)
    return merged(await Promise.all(statuses.map((status) => page(eq(jobs.status, status)))), limit)
  return await page()
}

/** The flows that a filter is about; undefined: all. */
async function flowsOf(
  { select, tables: { flows } }: Queries,
  filter: JobFilter,
): Promise<readonly string[] | undefined> {
  const { flow, text } = filter
  if (flow === undefined && (text === undefined || text === "")) return undefined
  const named = flow === undefined ? like(flows.name, holding(text ?? "")) : eq(flows.name, flow)
  const rows = await select({ id: flows.id }).from(flows).where(named).limit(MOST_FLOWS)
  return rows.map(({ id }) => id)
}

function holding(text: string): string {
  return `%${text.replaceAll(/[%_]/g, "")}%`
}

function merged(pages: readonly (readonly JobRow[])[], limit: number): readonly JobRow[] {
  return pages
    .flat()
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, limit)
}

/** The least id that something made at a time can have. */
function idAt(time: number): string {
  const hex = Math.max(0, time).toString(16).padStart(12, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

/** What begins like an id. */
const ID = /^[\da-f]{8}-[\da-f-]*$/i
const MOST_ITEMS = 200
const MOST_FLOWS = 50
