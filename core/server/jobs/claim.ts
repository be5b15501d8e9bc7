import { and, asc, eq, gt, inArray, isNotNull, lte, min, notInArray } from "drizzle-orm"
import { Clock, Effect } from "effect"
import type { Queries } from "../../store/database.ts"
import type { DispatchContext } from "./dispatch-context.ts"
import type { JobRow } from "./job-row.ts"

/** What a claim brings. */
export interface Claimed {
  readonly rows: readonly JobRow[]
  /** When the next one of those that wait may begin; absent: none waits for its time. */
  readonly nextDueAt?: number
}

/**
 * Takes jobs that may run now, at most `most`, as this server's: the most important first, where waiting makes a job more
 * important. Limits of flows and data sources hold over all servers, since claims come one after the other.
 */
export const claim = Effect.fnUntraced(function* ({ database, server }: DispatchContext, most: number) {
  const now = yield* Clock.currentTimeMillis
  return yield* database.write((queries) => claimed(queries, { most, now, server }), { lock: "jobs" })
})

interface ClaimRequest {
  readonly most: number
  readonly now: number
  readonly server: string
}

async function claimed(queries: Queries, { most, now, server }: ClaimRequest): Promise<Claimed> {
  const { update, tables } = queries
  const { jobs } = tables
  const use = await usage(queries)
  const rows: JobRow[] = []
  const candidates = new Candidates(queries, now, use)
  for (let row = await candidates.next(); row !== undefined; row = await candidates.next()) {
    if (!use.admits(row)) continue
    use.add(row)
    rows.push({ ...row, status: "running", server, startedAt: now, endedAt: null })
    if (rows.length >= most) break
  }
  if (rows.length > 0) {
    const ids = rows.map(({ id }) => id)
    const changes = { status: "running", server, startedAt: now, endedAt: null } as const
    await update(jobs)
      .set(changes)
      .where(and(inArray(jobs.id, ids), eq(jobs.status, "queued")))
    return { rows }
  }
  const nextDueAt = await nextDue(queries, now)
  return { rows, ...(nextDueAt === undefined ? {} : { nextDueAt }) }
}

async function nextDue({ select, tables: { jobs } }: Queries, now: number): Promise<number | undefined> {
  const isLater = and(eq(jobs.status, "queued"), gt(jobs.dueAt, now))
  const [found] = await select({ at: min(jobs.dueAt) })
    .from(jobs)
    .where(isLater)
  return found?.at === null || found === undefined ? undefined : Number(found.at)
}

/** The best of the jobs that are due, one after the other. Flows that are full are passed over. */
class Candidates {
  readonly #queries: Queries
  readonly #now: number
  readonly #use: Usage
  #lines: Line[] | undefined

  constructor(queries: Queries, now: number, use: Usage) {
    this.#queries = queries
    this.#now = now
    this.#use = use
  }

  async next(): Promise<JobRow | undefined> {
    this.#lines ??= PRIORITIES.map((priority) => ({ priority, rows: [], seen: 0, isDone: false }))
    let best: Line | undefined
    for (const line of this.#lines) {
      await this.#fill(line)
      const [row] = line.rows
      if (row !== undefined && (best === undefined || this.#rank(row) < this.#rank(best.rows[0]!))) best = line
    }
    return best?.rows.shift()
  }

  /** A job that waits gains a step of priority with every so many seconds: none waits forever. */
  #rank({ priority, dueAt }: JobRow): number {
    return priority - (this.#now - dueAt) / AGEING_MS
  }

  /** Those that are due longest, some at a time. */
  async #fill(line: Line): Promise<void> {
    if (line.rows.length > 0 || line.isDone) return
    const { select, tables } = this.#queries
    const { jobs } = tables
    const full = this.#use.fullFlows
    const rows = await select()
      .from(jobs)
      .where(
        and(
          eq(jobs.status, "queued"),
          eq(jobs.priority, line.priority),
          lte(jobs.dueAt, this.#now),
          ...(full.length === 0 ? [] : [notInArray(jobs.flow, full)]),
        ),
      )
      .orderBy(asc(jobs.dueAt), asc(jobs.id))
      .limit(LINE_ROWS)
      .offset(line.seen)
    // Flows that were not full before may be by now: what was looked at may come again, which does no harm.
    line.rows = rows
    line.seen += rows.length
    line.isDone = rows.length < LINE_ROWS || line.seen >= MOST_SEEN
    await this.#use.learn(this.#queries, rows)
  }
}

/** Jobs of one priority. */
interface Line {
  readonly priority: number
  rows: JobRow[]
  seen: number
  isDone: boolean
}

/** How much of every limit is used. */
class Usage {
  readonly #runsOfFlow = new Map<string, number>()
  readonly #runsOfSource = new Map<string, number>()
  readonly #runs = new Set<string>()
  readonly #mostOfFlow = new Map<string, number>()
  readonly #mostOfSource: ReadonlyMap<string, number>

  constructor(mostOfSource: ReadonlyMap<string, number>) {
    this.#mostOfSource = mostOfSource
  }

  /** Looks up the limits of flows that are new. */
  async learn({ select, tables: { flows } }: Queries, jobs: readonly UsedJob[]): Promise<void> {
    const ids = [...new Set(jobs.map(({ flow }) => flow))].filter((flow) => !this.#mostOfFlow.has(flow))
    if (ids.length === 0) return
    const found = await select({ id: flows.id, properties: flows.properties }).from(flows).where(inArray(flows.id, ids))
    for (const { id, properties } of found) this.#mostOfFlow.set(id, Math.max(1, properties.concurrency))
  }

  add({ id, flow, dataSources, start }: UsedJob): void {
    this.#runsOfFlow.set(flow, (this.#runsOfFlow.get(flow) ?? 0) + 1)
    for (const name of dataSources) this.#runsOfSource.set(name, (this.#runsOfSource.get(name) ?? 0) + 1)
    for (const run of runsOf({ id, start })) this.#runs.add(run)
  }

  /** Nobody works on a run twice at the same time: its replays and its restart wait for it. */
  admits({ id, flow, dataSources, start }: UsedJob): boolean {
    if (this.#isFull(flow) || runsOf({ id, start }).some((run) => this.#runs.has(run))) return false
    return dataSources.every(
      (name) => (this.#runsOfSource.get(name) ?? 0) < (this.#mostOfSource.get(name) ?? Number.POSITIVE_INFINITY),
    )
  }

  get fullFlows(): string[] {
    return [...this.#runsOfFlow.keys()].filter((flow) => this.#isFull(flow))
  }

  /** Documents that are not saved have no flow in common that could be full. */
  #isFull(flow: string): boolean {
    return flow !== "" && (this.#runsOfFlow.get(flow) ?? 0) >= (this.#mostOfFlow.get(flow) ?? 1)
  }
}

type UsedJob = Pick<JobRow, "id" | "flow" | "dataSources" | "start">

function runsOf({ id, start }: Pick<JobRow, "id" | "start">): readonly string[] {
  return "of" in start ? [id, start.of] : [id]
}

async function usage(queries: Queries): Promise<Usage> {
  const { select, tables } = queries
  const { jobs, dataSources } = tables
  const running = await select({ id: jobs.id, flow: jobs.flow, dataSources: jobs.dataSources, start: jobs.start })
    .from(jobs)
    .where(eq(jobs.status, "running"))
  const limited = await select({ name: dataSources.name, concurrency: dataSources.concurrency })
    .from(dataSources)
    .where(isNotNull(dataSources.concurrency))
  const use = new Usage(
    new Map(limited.flatMap(({ name, concurrency }) => (concurrency === null ? [] : [[name, concurrency]]))),
  )
  await use.learn(queries, running)
  for (const job of running) use.add(job)
  return use
}

const PRIORITIES = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const LINE_ROWS = 64
const MOST_SEEN = 2000
const AGEING_MS = 60_000
