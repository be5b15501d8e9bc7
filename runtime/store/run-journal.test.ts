import { expect, test } from "bun:test"
import { makeRunJournal } from "./run-journal.ts"
import { aRejection, aReport, aRun, TestStore } from "./testdata/store.ts"

async function journalOf(at: TestStore, mask = (text: string) => text) {
  const opened = await at.open()
  await opened.runs.register(aRun("r1"))
  const keeping: number[] = []
  const store = {
    ...opened.runs,
    keep: (...[run, rows]: Parameters<typeof opened.runs.keep>) => {
      keeping.push(rows.length)
      return opened.runs.keep(run, rows)
    },
  }
  const journal = makeRunJournal({ store, run: { id: "r1", fence: 1 }, origin: "r1", markSources: {}, mask })
  const count = async () => (await opened.query<{ n: number }>("SELECT count(*) AS n FROM rejections"))[0]?.n
  return { ...opened, journal, keeping, count }
}

test("run-journal has every rejected row on the disk when it is sealed, and writes nothing for none", async () => {
  await using at = await TestStore.make()
  const { journal, keeping, count } = await journalOf(at)
  await journal.sealed()
  expect(keeping).toEqual([])
  for (let row = 0; row < 10; row++) journal.reject(aRejection("r1", row))
  expect(await count()).toBe(0)
  await journal.sealed()
  expect(await count()).toBe(10)
  expect(keeping).toEqual([10])
})

test("run-journal writes about a megabyte of rejected rows at a time, without waiting for anybody", async () => {
  await using at = await TestStore.make()
  const { journal, keeping, count } = await journalOf(at)
  const record = { id: "1", text: "x".repeat(900) }
  for (let row = 0; row < 5000; row++) journal.reject(aRejection("r1", row, { record }))
  await journal.sealed()
  expect(keeping.length).toBeGreaterThan(4)
  expect(Math.max(...keeping)).toBeLessThan(1200)
  expect(await count()).toBe(5000)
})

test("run-journal lets nobody reject rows faster than a slow store keeps them", async () => {
  let kept = 0
  let given = 0
  let most = 0
  const store = {
    keep: async (_: unknown, rows: readonly unknown[]) => {
      await new Promise((resolve) => setTimeout(resolve, 2))
      kept += rows.length
    },
  } as unknown as Parameters<typeof makeRunJournal>[0]["store"] // it is asked for nothing else
  const run = { id: "r1", fence: 1 }
  const journal = makeRunJournal({ store, run, origin: "r1", markSources: {}, mask: (text) => text })
  const record = { text: "x".repeat(10_000) }
  for (let batch = 0; batch < 100; batch++) {
    for (let row = 0; row < 100; row++) journal.reject(aRejection("r1", given++, { record }))
    await journal.room()
    most = Math.max(most, given - kept)
  }
  // Eight megabytes, and what came in one batch.
  expect(most).toBeLessThan(1000)
  await journal.sealed()
  expect(kept).toBe(10_000)
})

test("run-journal lets those who wait for room go when the store fails", async () => {
  const store = {
    keep: async () => {
      throw new Error("gone")
    },
  } as unknown as Parameters<typeof makeRunJournal>[0]["store"] // it is asked for nothing else
  const run = { id: "r1", fence: 1 }
  const journal = makeRunJournal({ store, run, origin: "r1", markSources: {}, mask: (text) => text })
  const record = { text: "x".repeat(1_000_000) }
  for (let row = 0; row < 20; row++) journal.reject(aRejection("r1", row, { record }))
  await journal.room()
  expect(() => journal.reject(aRejection("r1", 0))).toThrow("gone")
})

test("run-journal takes nothing more from a try that was given up and goes on all the same", async () => {
  await using at = await TestStore.make()
  const { journal, query } = await journalOf(at)
  await journal.splitStarted("read/1", 2, [])
  journal.reject(aRejection("r1", 0, { attempt: 1 }))
  journal.reject(aRejection("r1", 1, { attempt: 2 }))
  await journal.sealed()
  expect(await query("SELECT row FROM rejections")).toMatchObject([{ row: 1 }])
})

test("run-journal forgets what earlier tries of a split rejected, but for the steps that have committed it", async () => {
  await using at = await TestStore.make()
  const { journal, query } = await journalOf(at)
  await journal.splitStarted("read/1", 1, [])
  journal.reject(aRejection("r1", 0, { step: "write" }))
  journal.reject(aRejection("r1", 1, { step: "other" }))
  journal.reject(aRejection("r1", 2, { split: "read/2" }))
  await journal.splitStarted("read/1", 2, ["other"])
  expect(await query("SELECT step, row FROM rejections ORDER BY id")).toMatchObject([
    { step: "other", row: 1 },
    { step: "write", row: 2 },
  ])
})

test("run-journal rejects with reason resource when the disk is full, and takes no rows after that", async () => {
  await using at = await TestStore.make()
  const { journal, count, query, execute } = await journalOf(at)
  const [{ page_count: pages } = { page_count: 0 }] = await query<{ page_count: number }>("PRAGMA page_count")
  await execute(`PRAGMA max_page_count = ${pages + 2}`)
  const record = { text: "x".repeat(20_000) }
  for (let row = 0; row < 3; row++) journal.reject(aRejection("r1", row, { record }))
  const full = { reason: "resource", retryable: false }
  await expect(journal.sealed()).rejects.toMatchObject(full)
  expect(() => journal.reject(aRejection("r1", 3))).toThrow(/^Cannot write the store in ".*": the disk is full$/)
  await expect(journal.sealed()).rejects.toMatchObject({ hint: expect.stringContaining("HEADRACE_HOME") })
  await expect(journal.finished(aReport("r1"))).rejects.toMatchObject(full)
  expect(await count()).toBe(0)
})

test("run-journal keeps no secret of the report, and says where rejected rows are", async () => {
  await using at = await TestStore.make()
  const { journal, runs } = await journalOf(at, (text) => text.replaceAll("hunter2", "***").replaceAll("1", "*"))
  const failure = { message: 'password "hunter2" refused', reason: "authentication" } as const
  const notes = await journal.finished(aReport("r1", { status: "failed", rejected: 1, failure }))
  expect(notes).toEqual(["rejected rows: headrace quarantine show r1"])
  const found = await runs.find("r1")
  expect(found?.report?.failure?.message).toBe('password "***" refused')
  expect(found?.report?.rejected).toBe(1)
})
