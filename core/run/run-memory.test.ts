import { expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import { batchOfIds, probeInput, probeOutput, probePlugins } from "../../scripts/testing/probes.ts"
import type { Sink } from "../contract/index.ts"

const BATCHES = 2000
const ROWS = 1000
const BYTES = ROWS * 4
/** What an edge may hold: a hundredth of the table, and less. */
const CEILING = 65_536

/** An input far faster than its outputs, which pause after every so many batches; notes how far it got ahead. */
function race(...pauses: readonly number[]) {
  let given = 0
  const taken = pauses.map(() => 0)
  let ahead = 0
  const input = probeInput({
    async *read(_split, session) {
      for (let i = 0; i < BATCHES; i++) {
        const batch = batchOfIds(session, i * ROWS, (i + 1) * ROWS)
        given += batch.bytes
        ahead = Math.max(ahead, given - Math.min(...taken))
        yield batch
      }
    },
  })
  const outputs = pauses.map((every, at) => {
    const write: Sink["write"] = async (_split, rows) => {
      let written = 0
      let items = 0
      for await (const item of rows) {
        if (++items % every === 0) await Bun.sleep(0)
        written += item.rows
        taken[at]! += item.bytes
      }
      return { written, guarantee: "at-least-once" }
    }
    return probeOutput({ id: `probe-${at}`, write })
  })
  return { plugins: probePlugins(input, ...outputs), outputs, ahead: () => ahead }
}

test.each([[[1]], [[1, 1000]], [[1000, 1, 7]]])(
  "run holds no more than an edge may, however slow its outputs %p",
  async (pauses) => {
    const { plugins, outputs, ahead } = race(...pauses)
    const ids = outputs.map(({ id }) => id)
    const report = await testEngine({}, { plugins }).run({
      version: 1,
      steps: [{ id: "in", use: "probe-input" }, ...ids.map((id) => ({ id, use: id }))],
      hops: ids.map((to) => ({ from: "in", to, ...(ids.length > 1 ? { send: "copy" } : {}) })),
      settings: { bufferBytes: CEILING },
    })
    expect(report.failure).toBeUndefined()
    expect(report.receipts[0]!.outputs.map(({ written }) => written)).toEqual(ids.map(() => BATCHES * ROWS))
    expect(BATCHES * BYTES).toBeGreaterThan(CEILING * 100)
    // One item is on its way at either end of an edge.
    expect(ahead()).toBeLessThanOrEqual(CEILING + 3 * BYTES)
  },
)
