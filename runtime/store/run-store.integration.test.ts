import { describe, expect, test } from "bun:test"
import { aReceipt, aRejection, aReport, aRun, TestStore } from "./testdata/store.ts"
import { storePlaces } from "./testdata/store-databases.ts"

describe.each(storePlaces)("run-store in %s", (_, makePlace) => {
  test("gives back a run as it was recorded, and how it ended", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs } = await at.open()
    const run = aRun("r1", { flow: "orders" })
    await runs.register(run)
    expect(await runs.find("r1")).toEqual({
      ...run,
      fence: 1,
      status: "running",
      isDiscarded: false,
      isSettled: false,
      startedAt: at.now,
      attemptAt: at.now,
    })
    expect(await runs.find("r2")).toBeUndefined()
    at.now += 5000
    const counts = {
      step: "write",
      kind: "output",
      rowsIn: 9,
      rowsOut: 8,
      rejected: 1,
      filtered: 0,
      made: 0,
      bytes: 1,
    } as const
    const report = aReport("r1", { status: "failed", rejected: 1, steps: [counts] })
    await runs.finish({ id: "r1", fence: 1 }, { report, markSources: {} })
    expect(await runs.find("r1")).toMatchObject({ status: "failed", endedAt: at.now, report })
    expect(await runs.list({})).toMatchObject([{ id: "r1", flow: "orders", written: 8, rejected: 1, fence: 1 }])
  })

  test("lists the newest runs first, by flow and by status", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs } = await at.open()
    for (const id of ["r1", "r2", "r3"]) await runs.register(aRun(id, { flow: id === "r3" ? "b" : "a" }))
    await runs.finish({ id: "r1", fence: 1 }, { report: aReport("r1"), markSources: {} })
    const ids = async (filter: Parameters<typeof runs.list>[0]) => (await runs.list(filter)).map(({ id }) => id)
    expect(await ids({})).toEqual(["r3", "r2", "r1"])
    expect(await ids({ flow: "a" })).toEqual(["r2", "r1"])
    expect(await ids({ statuses: ["succeeded"] })).toEqual(["r1"])
    expect(await ids({ limit: 1 })).toEqual(["r3"])
  })

  test("keeps how far a run has come", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs } = await at.open()
    await runs.register(aRun("r1"))
    const run = { id: "r1", fence: 1 }
    const columns = [{ name: "id", type: { kind: "decimal", precision: 40, scale: 2 }, nullable: false }] as const
    const splits = [
      { id: "1", label: "one", state: { from: "9007199254740993" } },
      { id: "2", label: "two", state: null, volatile: true },
    ]
    await runs.inputOpened(run, { step: "read", columns, splits, oneSnapshot: true, mark: "42" })
    await runs.splitStarted(run, "read/1", 1, [])
    await runs.splitStarted(run, "read/2", 1, [])
    const receipt = aReceipt("read/1", 10)
    await runs.splitCommitted(run, receipt)
    expect(await runs.progress("r1")).toEqual({
      inputs: [{ step: "read", columns, splits, oneSnapshot: true, mark: "42" }],
      receipts: [receipt],
      begun: [{ split: "read/2", attempt: 1 }],
    })
    expect(await runs.list({})).toMatchObject([{ written: 10 }])
  })

  test("lets nobody claim a run that has succeeded, however close it was", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs } = await at.open()
    const run = aRun("r1")
    await runs.register(run)
    await runs.finish({ id: "r1", fence: 1 }, { report: aReport("r1"), markSources: {} })
    expect(await runs.claim({ id: "r1", fence: 1 }, run.owner)).toBe(false)
    expect(await runs.find("r1")).toMatchObject({ fence: 1, status: "succeeded" })
  })

  test("lets one of two claim a run, and refuses everything that earlier attempts write", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs } = await at.open()
    const { runs: others } = await at.open()
    await runs.register(aRun("r1"))
    const old = { id: "r1", fence: 1 }
    const owner = { pid: 7, host: "there", start: "5" }
    const claims = await Promise.all([runs.claim(old, owner), others.claim(old, owner)])
    expect(claims.sort()).toEqual([false, true])
    expect(await runs.find("r1")).toMatchObject({ fence: 2, status: "running", owner })
    const writes = [
      () => runs.inputOpened(old, { step: "read", columns: [], splits: [], oneSnapshot: true }),
      () => runs.splitStarted(old, "read/1", 1, []),
      () => runs.splitCommitted(old, aReceipt("read/1", 1)),
      () => runs.keep(old, [aRejection("r1", 0)]),
      () => runs.finish(old, { report: aReport("r1"), markSources: {} }),
    ]
    for (const write of writes)
      await expect(write()).rejects.toMatchObject({
        reason: "cancelled",
        retryable: false,
        message: "Cannot go on with run r1: it was taken over by somebody else",
      })
    expect(await runs.progress("r1")).toEqual({ inputs: [], receipts: [], begun: [] })
    await runs.finish({ id: "r1", fence: 2 }, { report: aReport("r1", { fence: 2 }), markSources: {} })
    expect(await runs.find("r1")).toMatchObject({ status: "succeeded" })
  })

  test("advances marks with a success alone, for flows that have a name", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs, query } = await at.open()
    const end = async (id: string, status: "succeeded" | "failed", mark: string, flow?: string) => {
      await runs.register(aRun(id, flow === undefined ? {} : { flow }))
      const report = aReport(id, { status, marks: { read: mark } })
      await runs.finish({ id, fence: 1 }, { report, markSources: { read: "shop" } })
    }
    await end("r1", "succeeded", "10", "orders")
    await end("r2", "failed", "20", "orders")
    await end("r3", "succeeded", "30")
    expect(await runs.marks("orders")).toEqual([{ step: "read", dataSource: "shop", mark: "10", run: "r1" }])
    await end("r4", "succeeded", "40", "orders")
    expect(await runs.marks("orders")).toEqual([{ step: "read", dataSource: "shop", mark: "40", run: "r4" }])
    expect(await query("SELECT count(*) AS n FROM marks")).toMatchObject([{ n: 1 }])
  })

  test("shows who wants to begin a run what is unfinished since the last success, and lets it refuse", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs } = await at.open()
    const seen: string[] = []
    const judge: Parameters<typeof runs.register>[1] = (earlier) => {
      seen.push(earlier.map(({ run, committed }) => `${run.id} ${committed.map(({ rows }) => rows).join()}`).join("; "))
    }
    await runs.register(aRun("r1", { flow: "a" }), judge)
    await runs.finish({ id: "r1", fence: 1 }, { report: aReport("r1"), markSources: {} })
    await runs.register(aRun("r2", { flow: "a" }), judge)
    await runs.splitCommitted({ id: "r2", fence: 1 }, aReceipt("read/1", 3))
    await runs.splitCommitted({ id: "r2", fence: 1 }, aReceipt("read/2", 4))
    await runs.register(aRun("r3", { flow: "a" }), judge)
    await runs.finish(
      { id: "r3", fence: 1 },
      { report: aReport("r3", { status: "cancelled" }), markSources: {}, isDiscarded: true },
    )
    await runs.register(aRun("r4", { flow: "b" }), judge)
    const refusing = runs.register(aRun("r5", { flow: "a" }), (earlier) => {
      judge(earlier)
      throw Object.assign(new Error("no"), { reason: "conflict" })
    })
    await expect(refusing).rejects.toThrow("no")
    expect(seen).toEqual(["", "", "r2 7", "", "r2 7"])
    expect(await runs.find("r5")).toBeUndefined()
  })

  test("forgets runs after 90 days, but none of which rejected rows wait", async () => {
    await using at = await TestStore.make(makePlace)
    const { runs, quarantine, query } = await at.open()
    for (const id of ["r1", "r2"]) {
      await runs.register(aRun(id))
      await runs.splitCommitted({ id, fence: 1 }, aReceipt("read/1", 1))
      if (id === "r2") await runs.keep({ id, fence: 1 }, [aRejection(id, 0)])
      await runs.finish({ id, fence: 1 }, { report: aReport(id), markSources: {} })
    }
    const ids = async () => (await runs.list({})).map(({ id }) => id)
    at.now += 90 * 24 * 3600 * 1000
    await runs.register(aRun("r3"))
    expect(await ids()).toEqual(["r3", "r2", "r1"])
    at.now++
    await runs.register(aRun("r4"))
    expect(await ids()).toEqual(["r4", "r3", "r2"])
    expect(await query("SELECT split FROM splits")).toHaveLength(1)
    await quarantine.drop("r2")
    await runs.register(aRun("r5"))
    expect(await ids()).toEqual(["r5", "r4", "r3"])
    expect(await query("SELECT * FROM rejections")).toHaveLength(0)
  })
})
