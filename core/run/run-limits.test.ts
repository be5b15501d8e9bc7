import { expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import { batchOfIds, probeInput, probeOutput, probePlugins } from "../../scripts/testing/probes.ts"

/** An input that rejects every n-th of its rows, in batches of a hundred. */
function rejecting(rows: number, every: number) {
  return probeInput({
    async *read(_split, session) {
      for (let at = 0; at < rows; at += 100) {
        for (let row = at; row < at + 100; row++) {
          if (row % every === every - 1)
            session.reject({ row, column: "id", value: `bad ${row}`, reason: "not a number" })
        }
        yield batchOfIds(session, at, at + 100 - 100 / every)
      }
    },
  })
}

function flow(settings: object) {
  return {
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "out", use: "probe-output" },
    ],
    hops: [{ from: "in", to: "out" }],
    settings,
  }
}

test("a run allows no rejected row by default, and names the first one", async () => {
  const engine = testEngine({}, { plugins: probePlugins(rejecting(1000, 10), probeOutput()) })
  const report = await engine.run(flow({}))
  expect(report.status).toBe("failed")
  expect(report.failure).toEqual({
    message: 'Step "in" rejected a row: row 9, column "id" "bad 9": not a number (1 row rejected, 0 allowed)',
    reason: "data",
    step: "in",
    hint: "Mend the data, or raise errorLimit or errorPercent",
  })
  expect(engine.rejections.map(({ step, split, row }) => [step, split, row])).toEqual([["in", "in/0", 9]])
})

test("a run goes on up to its limit of rejected rows", async () => {
  const plugins = probePlugins(rejecting(1000, 10), probeOutput())
  const engine = testEngine({}, { plugins })
  const report = await engine.run(flow({ errorLimit: 100 }))
  expect(report.status).toBe("succeeded")
  expect(report.rejected).toBe(100)
  expect(report.receipts[0]).toMatchObject({
    read: 1000,
    outputs: [{ received: 900, written: 900, rejected: 100, filtered: 0 }],
  })
  expect(engine.rejections.length).toBe(100)
  const less = await testEngine({}, { plugins }).run(flow({ errorLimit: 99 }))
  expect(less.failure?.message).toContain("(100 rows rejected, 99 allowed)")
})

test("a run judges a percentage at its end, whatever the number of rows", async () => {
  const run = (errorPercent: number) =>
    testEngine({}, { plugins: probePlugins(rejecting(1000, 10), probeOutput()) }).run(flow({ errorPercent }))
  expect((await run(10)).status).toBe("succeeded")
  const failed = await run(9.9)
  expect(failed.failure?.message).toBe("Cannot accept the run: 100 rows rejected, 9.9 % of 1000 read are allowed")
  expect(failed.notes).toEqual(['output "out": 1 of 1 splits stay committed, 900 rows'])
})

test("a run judges a percentage while it goes on once it has read enough", async () => {
  const plugins = probePlugins(rejecting(1_000_000, 10), probeOutput())
  const report = await testEngine({}, { plugins }).run(flow({ errorPercent: 9 }))
  expect(report.failure?.message).toStartWith('Step "in" rejected a row: row ')
  expect(report.failure?.message).toContain("9 % of 10")
  expect(report.steps[0]!.rowsOut).toBeLessThan(11_000)
})

test("a percentage takes the place of the limit", async () => {
  const plugins = probePlugins(rejecting(1000, 10), probeOutput())
  const report = await testEngine({}, { plugins }).run(flow({ errorLimit: 0, errorPercent: 50 }))
  expect(report.status).toBe("succeeded")
})

test("a run fails at its end when a component swallows the failure of the limit", async () => {
  const input = probeInput({
    async *read(_split, session) {
      try {
        session.reject({ row: 0, reason: "bad" })
      } catch {
        // What no component must do.
      }
      yield batchOfIds(session, 1, 2)
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(input, probeOutput()) }).run(flow({}))
  expect(report.failure?.message).toBe("Cannot accept the run: 1 row rejected, 0 allowed")
})

test("a run names a rejected row by what is known of it", async () => {
  const rows: [object, string][] = [
    [{ row: 3, reason: "bad" }, "row 3: bad"],
    [{ row: 3, column: "a", reason: "bad" }, 'row 3, column "a": bad'],
    [{ row: 3, column: "a", value: null, reason: "bad" }, 'row 3, column "a" NULL: bad'],
    [{ row: 3, column: "a", value: "", reason: "bad" }, 'row 3, column "a" "": bad'],
    [{ row: 3, position: "orders.csv:120", reason: "bad" }, "orders.csv:120: bad"],
    [{ row: 3, column: "a", value: "x".repeat(101), reason: "bad" }, `row 3, column "a" "${"x".repeat(100)}…": bad`],
  ]
  for (const [row, text] of rows) {
    const input = probeInput({
      async *read(_split, session) {
        session.reject(row as { row: number; reason: string })
        yield batchOfIds(session, 0, 1)
      },
    })
    const report = await testEngine({}, { plugins: probePlugins(input, probeOutput()) }).run(flow({}))
    expect(report.failure?.message).toBe(`Step "in" rejected a row: ${text} (1 row rejected, 0 allowed)`)
  }
})

test("a run counts what outputs reject, and adds it to their receipts", async () => {
  const output = probeOutput({
    async write(_split, rows, session) {
      let written = 0
      for await (const item of rows) {
        session.reject({ row: item.firstRow, reason: "refused" })
        session.adjusted("zeroDates", "day", 2)
        written += item.rows - 1
      }
      return { written, guarantee: "exactly-once" }
    },
  })
  const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 3 }), output) })
  const report = await engine.run(flow({ errorLimit: 3 }))
  expect(report.status).toBe("succeeded")
  expect(report.receipts.map(({ outputs }) => outputs)).toMatchObject(
    Array.from({ length: 3 }, () => [{ step: "out", received: 10, written: 9, rejected: 1 }]),
  )
  expect(report.adjusted).toEqual([{ step: "out", policy: "zeroDates", column: "day", values: 6 }])
  expect(engine.rejections.map(({ split }) => split)).toEqual(["in/0", "in/1", "in/2"])
})
