import { describe, expect, test } from "bun:test"
import type { Rejection } from "../../core/run/journal.ts"
import { rangeName } from "../../core/store/quarantine.ts"
import { aReceipt, aRejection, aReport, aRun, TestStore } from "./testdata/store.ts"
import { storePlaces } from "./testdata/store-databases.ts"

/** A run that has ended, with rejected rows. */
async function ended(at: TestStore, rejections: readonly Rejection[], status: "succeeded" | "failed" = "succeeded") {
  const opened = await at.open()
  const { runs } = opened
  await runs.register(aRun("r1", { flow: "orders" }))
  await runs.keep({ id: "r1", fence: 1 }, rejections)
  await runs.splitCommitted({ id: "r1", fence: 1 }, aReceipt("read/1", 5))
  await runs.finish({ id: "r1", fence: 1 }, { report: aReport("r1", { status }), markSources: {} })
  return opened
}

async function list<A>(items: AsyncIterable<A>): Promise<readonly A[]> {
  return await Array.fromAsync(items)
}

async function* mended(...ids: readonly number[]) {
  for (const id of ids) yield { id, record: { id: `m${id}` } }
}

const RE = { input: "quarantine", step: "write" }

describe.each(storePlaces)("quarantine in %s", (_, makePlace) => {
  test("gives back what was kept, whatever is in it and in however many pages", async () => {
    await using at = await TestStore.make(makePlace)
    const odd: Rejection = {
      ...{ runId: "r1", step: "read", split: "read/1", attempt: 1, row: 7, reason: 'bad "\u0000\n' },
      ...{
        position: "a.csv:9",
        value: null,
        code: "22P02",
        record: { "": null, __proto__x: "é\ud83d\ude00", id: "9007199254740993" },
      },
    }
    const { quarantine } = await ended(at, [odd, ...Array.from({ length: 2500 }, (_, row) => aRejection("r1", row))])
    const rows = await list(quarantine.rows({ run: "r1" }))
    expect(rows).toHaveLength(2501)
    const { attempt: _, runId: __, ...told } = odd
    expect(rows[0]).toEqual({ ...told, id: 1, status: "waiting", isFinal: true })
    expect(rows.slice(1).map(({ row }) => row)).toEqual(Array.from({ length: 2500 }, (_, row) => row))
    expect(await list(quarantine.rows({ run: "r1", step: "write", limit: 1200 }))).toHaveLength(1200)
    expect(await quarantine.count({ run: "r1", step: "read" })).toBe(1)
    expect(await quarantine.row("r1", 1)).toEqual(rows[0])
    expect(await quarantine.row("other", 1)).toBeUndefined()
  })

  test("counts what waits by reason, whatever the values are", async () => {
    await using at = await TestStore.make(makePlace)
    const cannot = (value: string, shown = value) =>
      aRejection("r1", 0, { value, reason: `Cannot cast "${shown}" in column "id" to int32` })
    const { quarantine } = await ended(at, [
      cannot("a"),
      cannot("b"),
      cannot("id"),
      cannot("long text", "long…"),
      aRejection("r1", 1),
    ])
    expect(await quarantine.waiting()).toEqual([
      { run: "r1", flow: "orders", step: "write", reason: 'Cannot cast "…" in column "id" to int32', rows: 3, held: 0 },
      { run: "r1", flow: "orders", step: "write", reason: 'Cannot cast "…" in column "…" to int32', rows: 1, held: 0 },
      { run: "r1", flow: "orders", step: "write", reason: "bad", rows: 1, held: 0 },
    ])
    expect(await quarantine.waiting("r2")).toEqual([])
  })

  test("keeps rows of splits that are not committed from being replayed", async () => {
    await using at = await TestStore.make(makePlace)
    const rejections = [aRejection("r1", 0), aRejection("r1", 1, { split: "read/2" })]
    const { quarantine, runs, execute } = await ended(at, rejections, "failed")
    expect((await list(quarantine.rows({ run: "r1", isFree: true }))).map(({ row }) => row)).toEqual([0])
    await execute("UPDATE runs SET staged = NOT staged")
    expect(await quarantine.count({ run: "r1", isFree: true })).toBe(0)
    await runs.claim({ id: "r1", fence: 1 }, aRun("x").owner)
    await runs.finish({ id: "r1", fence: 2 }, { report: aReport("r1"), markSources: {} })
    expect(await quarantine.count({ run: "r1", isFree: true })).toBe(2)
  })

  test("drops what waits, and nothing that a replay holds", async () => {
    await using at = await TestStore.make(makePlace)
    const { quarantine } = await ended(
      at,
      [0, 1, 2].map((row) => aRejection("r1", row, { step: row === 2 ? "read" : "write" })),
    )
    await quarantine.take(aRun("r1-r1", { replayOf: "r1" }), mended(1))
    expect(await quarantine.drop("r1", "read")).toBe(1)
    expect(await quarantine.drop("r1")).toBe(1)
    expect(await quarantine.drop("r1")).toBe(0)
    expect((await list(quarantine.rows({ run: "r1" }))).map(({ status, replay }) => [status, replay])).toEqual([
      ["waiting", "r1-r1"],
      ["dropped", undefined],
      ["dropped", undefined],
    ])
    expect(await quarantine.waiting()).toMatchObject([{ rows: 1, held: 1 }])
  })

  test("lets a replay take all of its rows or none", async () => {
    await using at = await TestStore.make(makePlace)
    const { quarantine, runs } = await ended(
      at,
      [0, 1, 2].map((row) => aRejection("r1", row)),
    )
    const replay = (id: string) => aRun(id, { replayOf: "r1" })
    expect(await quarantine.take(replay("r1-r1"), mended(1))).toBe(1)
    await expect(quarantine.take(replay("r1-r2"), mended(2, 1))).rejects.toMatchObject({
      reason: "conflict",
      message: "Cannot replay 2 rows of run r1: 1 of them wait no longer",
    })
    const failing = async function* () {
      yield* mended(2)
      throw Object.assign(new Error("line 7 is bad"), { reason: "config" })
    }
    await expect(quarantine.take(replay("r1-r2"), failing())).rejects.toThrow("line 7 is bad")
    await expect(quarantine.take(replay("r1-r1"), mended(2))).rejects.toMatchObject({ reason: "constraint" })
    expect(await quarantine.take(replay("r1-r2"), mended())).toBe(0)
    expect(await runs.find("r1-r2")).toBeUndefined()
    expect(await quarantine.count({ run: "r1", isFree: true })).toBe(2)
    expect(await quarantine.replays("r1")).toEqual([{ id: "r1-r1", isSettled: false }])
  })

  test("keeps two replays apart that take rows at the same time", async () => {
    await using at = await TestStore.make(makePlace)
    const { quarantine } = await ended(
      at,
      Array.from({ length: 4 }, (_, row) => aRejection("r1", row)),
    )
    const slowly = async function* (...ids: readonly number[]) {
      for (const row of await list(mended(...ids))) {
        yield row
        await Promise.resolve()
      }
    }
    const take = (id: string, ...ids: readonly number[]) =>
      quarantine.take(aRun(id, { replayOf: "r1" }), slowly(...ids))
    expect(await Promise.all([take("r1-r1", 1, 3), take("r1-r2", 2, 4)])).toEqual([2, 2])
    expect(await list(quarantine.taken("r1-r2", 1, 4))).toEqual([2, 4].map((id) => ({ id, record: { id: `m${id}` } })))
  })

  test("gives a replay its rows in ranges", async () => {
    await using at = await TestStore.make(makePlace)
    const { quarantine } = await ended(
      at,
      Array.from({ length: 5 }, (_, row) => aRejection("r1", row)),
    )
    await quarantine.take(aRun("r1-r1", { replayOf: "r1" }), mended(1, 2, 4, 5))
    expect(await quarantine.ranges("r1-r1", 3)).toEqual([
      [1, 4],
      [5, 5],
    ])
    expect(await list(quarantine.taken("r1-r1", 1, 4))).toEqual(
      [1, 2, 4].map((id) => ({ id, record: { id: `m${id}` } })),
    )
  })

  test("settles a replay by its receipts: written, rejected again, or never tried", async () => {
    await using at = await TestStore.make(makePlace)
    const rejections = Array.from({ length: 6 }, (_, row) => aRejection("r1", row, { position: `a.csv:${row}` }))
    const { quarantine, runs } = await ended(at, rejections)
    await quarantine.take(aRun("r1-r1", { replayOf: "r1" }), mended(1, 2, 3, 4, 5, 6))
    const run = { id: "r1-r1", fence: 1 }
    const split = (first: number, last: number) => `quarantine/${rangeName(first, last)}`
    const again = (row: number, name: string, more: Partial<Rejection>) =>
      aRejection("r1-r1", row, { split: name, value: "m", reason: "still bad", record: { id: "m" }, ...more })
    await runs.keep(run, [
      again(1, split(1, 3), { column: "id" }),
      again(2, split(1, 3), { step: "further", reason: "bad further on" }),
      // Of a try that was not committed.
      again(0, split(5, 6), {}),
    ])
    await runs.splitCommitted(run, aReceipt(split(1, 3), 1, { read: 3 }))
    // Closed without its rows, because nobody knew whether it was committed.
    await runs.splitCommitted(run, aReceipt(split(4, 4), 0, { read: 0 }))
    await runs.finish(run, { report: aReport("r1-r1", { status: "failed" }), markSources: {} })
    expect(await quarantine.settle(run, RE)).toEqual({ replayed: 1, rejected: 2, released: 3 })
    const rows = await list(quarantine.rows({ run: "r1" }))
    const told = rows.map(({ id, step, status, reason, position, replay }) => [
      id,
      step,
      status,
      reason,
      position,
      replay,
    ])
    expect(told).toEqual([
      [1, "write", "replayed", "bad", "a.csv:0", "r1-r1"],
      [2, "write", "waiting", "still bad", "a.csv:1", undefined],
      [3, "write", "replayed", "bad", "a.csv:2", "r1-r1"],
      [4, "write", "waiting", "bad", "a.csv:3", undefined],
      [5, "write", "waiting", "bad", "a.csv:4", undefined],
      [6, "write", "waiting", "bad", "a.csv:5", undefined],
      [told[6]?.[0], "further", "waiting", "bad further on", "a.csv:2", undefined],
    ])
    // A row waits as it was: what it was mended to may have been a mistake.
    expect(rows[1]?.record).toEqual({ id: "v1", name: null })
    expect(rows[6]?.record).toEqual({ id: "m" })
    expect(await quarantine.replays("r1")).toEqual([{ id: "r1-r1", isSettled: true }])
    expect(await quarantine.settle(run, RE)).toEqual({ replayed: 0, rejected: 0, released: 0 })
  })
})
