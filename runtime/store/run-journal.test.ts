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
  const count = () => opened.file.get("SELECT count(*) AS n FROM rejections")?.n
  return { ...opened, journal, keeping, count }
}

test("run-journal has every rejected row on the disk when it is sealed, and writes nothing for none", async () => {
  using at = new TestStore()
  const { file, journal, keeping, count } = await journalOf(at)
  await journal.sealed()
  expect(keeping).toEqual([])
  for (let row = 0; row < 10; row++) journal.reject(aRejection("r1", row))
  expect(count()).toBe(0)
  await journal.sealed()
  expect(count()).toBe(10)
  expect(keeping).toEqual([10])
  file[Symbol.dispose]()
})

test("run-journal writes about a megabyte of rejected rows at a time, without waiting for anybody", async () => {
  using at = new TestStore()
  const { file, journal, keeping, count } = await journalOf(at)
  const record = { id: "1", text: "x".repeat(900) }
  for (let row = 0; row < 5000; row++) journal.reject(aRejection("r1", row, { record }))
  expect(keeping.length).toBeGreaterThan(3)
  expect(Math.max(...keeping)).toBeLessThan(1200)
  expect(count()).toBe(keeping.reduce((sum, rows) => sum + rows, 0))
  await journal.sealed()
  expect(count()).toBe(5000)
  file[Symbol.dispose]()
})

test("run-journal takes nothing more from a try that was given up and goes on all the same", async () => {
  using at = new TestStore()
  const { file, journal } = await journalOf(at)
  await journal.splitStarted("read/1", 2, [])
  journal.reject(aRejection("r1", 0, { attempt: 1 }))
  journal.reject(aRejection("r1", 1, { attempt: 2 }))
  await journal.sealed()
  expect(file.all("SELECT row FROM rejections")).toEqual([{ row: 1 }])
  file[Symbol.dispose]()
})

test("run-journal forgets what earlier tries of a split rejected, but for the steps that have committed it", async () => {
  using at = new TestStore()
  const { file, journal } = await journalOf(at)
  await journal.splitStarted("read/1", 1, [])
  journal.reject(aRejection("r1", 0, { step: "write" }))
  journal.reject(aRejection("r1", 1, { step: "other" }))
  journal.reject(aRejection("r1", 2, { split: "read/2" }))
  await journal.splitStarted("read/1", 2, ["other"])
  expect(file.all("SELECT step, row FROM rejections ORDER BY id")).toEqual([
    { step: "other", row: 1 },
    { step: "write", row: 2 },
  ])
  file[Symbol.dispose]()
})

test("run-journal rejects with reason resource when the disk is full, and takes no rows after that", async () => {
  using at = new TestStore()
  const { file, journal, count } = await journalOf(at)
  file.statement(`PRAGMA max_page_count = ${Number(file.get("PRAGMA page_count")?.page_count) + 2}`).all()
  const record = { text: "x".repeat(20_000) }
  for (let row = 0; row < 3; row++) journal.reject(aRejection("r1", row, { record }))
  const full = { reason: "resource", retryable: false, message: `Cannot keep runs in "${at.path}": the disk is full` }
  await expect(journal.sealed()).rejects.toMatchObject(full)
  expect(() => journal.reject(aRejection("r1", 3))).toThrow("the disk is full")
  await expect(journal.sealed()).rejects.toMatchObject({ hint: expect.stringContaining("HEADRACE_HOME") })
  await expect(journal.finished(aReport("r1"))).rejects.toMatchObject(full)
  expect(count()).toBe(0)
  file[Symbol.dispose]()
})

test("run-journal keeps no secret of the report, and says where rejected rows are", async () => {
  using at = new TestStore()
  const { file, journal, runs } = await journalOf(at, (text) => text.replaceAll("hunter2", "***").replaceAll("1", "*"))
  const failure = { message: 'password "hunter2" refused', reason: "authentication" } as const
  const notes = await journal.finished(aReport("r1", { status: "failed", rejected: 1, failure }))
  expect(notes).toEqual(["rejected rows: headrace quarantine show r1"])
  const found = await runs.find("r1")
  expect(found?.report?.failure?.message).toBe('password "***" refused')
  expect(found?.report?.rejected).toBe(1)
  file[Symbol.dispose]()
})
