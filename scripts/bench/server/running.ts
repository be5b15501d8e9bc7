import { setPriority } from "node:os"
import type { ApiClient } from "../../testing/api-client.ts"
import { type Figure, quantile } from "./figure.ts"
import { megabytesOf, type Stage } from "./stage.ts"

/** From the request of a trigger to the first row that another connection sees, with a worker that waits. */
export async function triggerLatency({ sql, flow }: Stage): Promise<Figure> {
  await sql`CREATE TABLE small AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, 1000) AS i`
  await sql`CREATE TABLE small_copy (LIKE small)`
  const caller = await flow("small", "small", "small_copy")
  const times: number[] = []
  for (let i = 0; i < 40; i++) {
    await sql`TRUNCATE small_copy`
    const startedAt = performance.now()
    const asked = caller.done<{ id: string }>("POST /flows/small/runs", {})
    while ((await sql`SELECT 1 FROM small_copy LIMIT 1`).length === 0) await Bun.sleep(1)
    times.push(performance.now() - startedAt)
    const { id } = await asked
    await caller.done(`GET /runs/${id}?wait=30`)
  }
  // The first ones warm up what every server has warm.
  const warm = times.slice(5)
  const note = `p90 ${Math.round(quantile(warm, 0.9))} ms`
  return { name: "HTTP trigger to first row committed", value: quantile(warm, 0.5), unit: "ms", limit: 150, note }
}

/** So many runs, asked for at a steady pace: whether the queue keeps up, and whether memory stays. */
export async function sustained(stage: Stage, runs: number): Promise<readonly Figure[]> {
  const { sql, server, ada, flow } = stage
  await sql`CREATE TABLE each AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, 1000) AS i`
  await sql`CREATE TABLE each_copy (LIKE each)`
  const caller = await flow("each", "each", "each_copy")
  // Memory is compared from where everything has run a while.
  const warmUp = Math.min(300, Math.floor(runs / 4))
  await paced(caller, warmUp)
  await emptied(ada)
  const before = megabytesOf(server.pid).all
  const startedAt = performance.now()
  await paced(caller, runs - warmUp)
  await emptied(ada)
  const seconds = (performance.now() - startedAt) / 1000
  const after = megabytesOf(server.pid).all
  const [counted] = await sql`SELECT count(*)::int AS n FROM each_copy`
  if (counted?.n !== runs * 1000)
    throw new Error(`${runs} runs should have written ${runs * 1000} rows, and wrote ${counted?.n}`)
  const note = `${runs} runs, ${Math.round(before)} MB before and ${Math.round(after)} MB after, workers included`
  return [
    {
      name: "small runs, sustained",
      value: (runs - warmUp) / seconds,
      unit: "runs/s",
      limit: 0.98 * PER_SECOND,
      isLeast: true,
      note,
    },
    { name: "growth of memory", value: Math.max(0, (after / before - 1) * 100), unit: "%", limit: 10 },
  ]
}

/** Asks whether or not earlier ones are done, as strangers do. */
async function paced(caller: ApiClient, runs: number): Promise<void> {
  const startedAt = performance.now()
  const asked: Promise<unknown>[] = []
  for (let i = 0; i < runs; i++) {
    const due = startedAt + (i * 1000) / PER_SECOND
    await Bun.sleep(Math.max(0, due - performance.now()))
    asked.push(caller.done("POST /flows/each/runs", {}))
  }
  await Promise.all(asked)
}

async function emptied(ada: ApiClient): Promise<void> {
  for (;;) {
    const { items } = await ada.done<{ items: unknown[] }>("GET /runs?status=queued&status=running&limit=1")
    if (items.length === 0) return
    await Bun.sleep(20)
  }
}

/** How long 200 readers wait, each of whom asks once a second, while four runs copy. */
export async function readersBesideCopies({ sql, flow, ada }: Stage): Promise<Figure> {
  await sql`CREATE TABLE large AS SELECT i AS id, repeat(md5(i::text), 3) AS text FROM generate_series(1, 1500000) AS i`
  const ids: string[] = []
  for (let i = 0; i < 4; i++) {
    await sql`CREATE TABLE ${sql(`large_${i}`)} (LIKE large)`
    const caller = await flow(`large-${i}`, "large", `large_${i}`)
    ids.push((await caller.done<{ id: string }>(`POST /flows/large-${i}/runs`, {})).id)
  }
  const times: number[] = []
  let isOver = false
  const over = Promise.all(ids.map((id) => ada.done(`GET /runs/${id}?wait=120`))).then(() => {
    isOver = true
  })
  const paths = ["/runs?limit=20", "/flows", "/me", ...ids.map((id) => `/runs/${id}`), "/schedules", "/sources"]
  const reader = async (at: number) => {
    // They have not all opened their page in the same moment.
    await Bun.sleep((PAUSE_MS * at) / READERS)
    for (let i = at; !isOver; i++) {
      const startedAt = performance.now()
      await ada.done(`GET ${paths[i % paths.length]}`)
      times.push(performance.now() - startedAt)
      // People read what they have got.
      await Bun.sleep(PAUSE_MS)
    }
  }
  // Readers sit at machines of their own: here they would wait for the copies before they have asked.
  const release = beforeOthers()
  try {
    await Promise.all([over, ...Array.from({ length: READERS }, (_, at) => reader(at))])
  } finally {
    release()
  }
  const note = `${times.length} requests, median ${Math.round(quantile(times, 0.5))} ms, each reader pauses ${PAUSE_MS} ms`
  return { name: "API p99, 200 readers beside 4 copies", value: quantile(times, 0.99), unit: "ms", limit: 100, note }
}

const PER_SECOND = 15
const READERS = 200
const PAUSE_MS = 1000

/** Where it is allowed. */
function beforeOthers(): () => void {
  try {
    setPriority(-20)
    return () => setPriority(0)
  } catch {
    return () => {}
  }
}
