import { expect, test } from "bun:test"
import { columnsDiffer, lostSnapshots, refuseBeside, shownRows, sourcesDiffer, unrepeatable } from "./resumption.ts"
import type { RecordedStep, RunProgress, Unfinished } from "./run-record.ts"

const step = (id: string, writes: RecordedStep["writes"] & string): RecordedStep => ({
  ...{ id, use: "x-output", kind: "output", input: [], output: [], offered: { input: [], output: [] } },
  ...{ dataSources: [], writes },
})

const receipt = (split: string) => ({ split, label: "", attempt: 1, read: 1, steps: [], outputs: [] })

function progress(states: readonly ("done" | "open" | "volatile")[], oneSnapshot = true): RunProgress {
  const splits = states.map((state, i) => ({
    ...{ id: `${i}`, label: `part ${i}`, state: null },
    ...(state === "volatile" ? { volatile: true } : {}),
  }))
  const receipts = states.flatMap((state, i) => (state === "done" ? [receipt(`in/${i}`)] : []))
  return { inputs: [{ step: "in", columns: [], splits, oneSnapshot }], receipts, begun: [] }
}

test("resumption sees a snapshot as lost only where some splits were read from it and others were not", () => {
  expect(lostSnapshots(progress(["done", "open", "open"]))).toEqual([
    { step: "in", committed: 1, splits: 3, volatile: [] },
  ])
  expect(lostSnapshots(progress(["open", "open"]))).toEqual([])
  expect(lostSnapshots(progress(["volatile", "volatile"]))).toEqual([])
  expect(lostSnapshots(progress(["done", "done"]))).toEqual([])
  expect(lostSnapshots(progress(["done"]))).toEqual([])
  expect(lostSnapshots(progress(["done", "open"], false))).toEqual([])
  const [lost] = lostSnapshots(progress(["done", "volatile", "open"], false))
  expect(lost?.volatile.map(({ label }) => label)).toEqual(["part 1"])
})

test("resumption tells what is different in columns", () => {
  const column = (name: string, kind: "int64" | "string" = "int64") => ({ name, type: { kind }, nullable: true })
  const opened = { step: "in", columns: [column("a"), column("b")], splits: [], oneSnapshot: true }
  expect(columnsDiffer(opened, [column("a"), column("b")])).toBeUndefined()
  expect(columnsDiffer(opened, [column("a")])).toBe('column "b" is gone')
  expect(columnsDiffer(opened, [column("a"), column("b", "string")])).toBe('column "b" is of another type')
  expect(columnsDiffer(opened, [column("a"), column("b"), column("c")])).toBe('column "c" is new')
  expect(columnsDiffer(opened, [column("b"), column("a")])).toBe("the columns are in another order")
  expect(columnsDiffer(opened, undefined)).toBe("the flow has no such input")
})

test("resumption tells what is different in data sources", () => {
  const shop = { name: "shop", type: "postgres", place: { host: "a", port: 5432 } }
  expect(sourcesDiffer([shop], [shop])).toBeUndefined()
  expect(sourcesDiffer([shop], [])).toBe('data source "shop" is not used any more')
  expect(sourcesDiffer([shop], [{ ...shop, type: "mysql" }])).toBe(
    'data source "shop" was of type postgres, now it is of type mysql',
  )
  expect(sourcesDiffer([shop], [{ ...shop, place: { host: "b", port: 5432 } }])).toBe(
    'the host of data source "shop" was "a", now it is "b"',
  )
  expect(sourcesDiffer([shop], [{ ...shop, place: { host: "a" } }])).toBe(
    'the port of data source "shop" was "5432", now it is not set',
  )
})

test("resumption knows what would be there twice", () => {
  const committed = [
    { step: "file", rows: 5, splits: 1 },
    { step: "table", rows: 1, splits: 1 },
    { step: "gone", rows: 2, splits: 1 },
  ]
  const twice = unrepeatable([step("file", "stages"), step("table", "appends")], committed)
  expect(shownRows(twice)).toBe('1 row at output "table" and 2 rows at output "gone"')
})

test("resumption refuses another run beside one that goes on, was interrupted, or has appended rows", () => {
  const earlier = (rows: number, writes: RecordedStep["writes"] & string = "appends"): Unfinished => ({
    run: {
      ...{ id: "r1", flow: "orders", fence: 1, status: "failed", isDiscarded: false, startedAt: 0, attemptAt: 0 },
      ...{ written: rows, rejected: 0, owner: { pid: 7, host: "here" }, steps: [step("write", writes)] },
    },
    committed: rows === 0 ? [] : [{ step: "write", rows, splits: 1 }],
  })
  expect(() => refuseBeside([earlier(0)], () => "running")).toThrow("run r1 is going on (pid 7)")
  expect(() => refuseBeside([earlier(0)], () => "interrupted")).toThrow("run r1 was interrupted")
  expect(() => refuseBeside([earlier(3)], () => "failed")).toThrow(
    'run r1 failed after it had committed 3 rows at output "write"',
  )
  expect(() => refuseBeside([earlier(3)], () => "cancelled")).toThrow(
    "run r1 was cancelled after it had committed 3 rows",
  )
  expect(() => refuseBeside([earlier(0)], () => "failed")).not.toThrow()
  expect(() => refuseBeside([earlier(3, "merges")], () => "failed")).not.toThrow()
  expect(() => refuseBeside([], () => "running")).not.toThrow()
})
