import { columns, openSink, sessionOf } from "./file-run.ts"

/** Writes splits of so many bytes each to a disk that may be too small; prints what came of it. */
const [base = "", ...sizes] = process.argv.slice(2)
const session = sessionOf(base, 1)
const sink = await openSink(session, sizes.length === 1 ? "whole" : "joined", sizes.length)
let phase = "write"
try {
  for (const [split, size] of sizes.entries()) {
    await sink.write({ id: `${split}`, attempt: 1, note: () => "" }, rowsOf(Number(size)), session)
  }
  phase = "finish"
  await sink.finish(session)
  phase = "none"
} catch (error) {
  const { reason, message } = error as { reason?: string; message?: string }
  console.log(JSON.stringify({ phase, reason, message }))
  await sink.abort(session)
}
await sink[Symbol.asyncDispose]()

async function* rowsOf(size: number) {
  const row = { a: "x".repeat(999) }
  for (let bytes = 0; bytes < size; bytes += 10_000)
    yield session.batches.fromRows(
      columns,
      Array.from({ length: 10 }, () => row),
    )
}
