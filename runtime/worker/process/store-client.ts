import { Effect, Stream } from "effect"
import type { FromGroup } from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import { failure } from "../../../core/host/failure.ts"
import type { MendedRow, Quarantine } from "../../../core/store/quarantine.ts"
import type { RunStore } from "../../../core/store/run-store.ts"
import type { HostCalls, StoreFault } from "../channel/host-calls.ts"

/** The server at the other end of the channel. */
export type Host = FromGroup<typeof HostCalls, RpcClientError>

/** The store of runs, kept by the server. */
export function makeRunStoreClient(host: Host): RunStore["Service"] {
  return {
    // The server looks at earlier runs itself, by the same rule: nobody can begin another one in between.
    register: (run, judge) => asked(host.register({ run, isJudged: judge !== undefined })),
    find: async (id) => (await asked(host.find({ id }))).run,
    list: async ({ flow, limit = MOST_RUNS }) => (flow === undefined ? [] : asked(host.runs({ flow, limit }))),
    progress: (id) => asked(host.progress({ id })),
    claim: (run) => asked(host.claim({ run })),
    planned: (run, steps) => asked(host.planned({ run, steps })),
    inputOpened: (run, input) => asked(host.inputOpened({ run, input })),
    splitStarted: (run, split, attempt, kept) => asked(host.splitStarted({ run, split, attempt, kept })),
    splitCommitted: (run, receipt) => asked(host.splitCommitted({ run, receipt })),
    keep: (run, rejections) => asked(host.keep({ run, rejections })),
    finish: (run, ending) => asked(host.finish({ run, ending })),
    marks: (flow) => asked(host.marks({ flow })),
  }
}

/** The rejected rows, kept by the server; only what a replay needs. */
export function makeQuarantineClient(host: Host): Quarantine["Service"] {
  const unused = async (): Promise<never> => {
    throw failure("unsupported", "A worker cannot do this to rejected rows")
  }
  return {
    waiting: unused,
    row: async (run, id) => (await asked(host.row({ run, id }))).row,
    drop: unused,
    rows: (filter) => each(host.rows(filter)),
    count: (filter) => asked(host.countRows(filter)),
    async take(replay, rows) {
      let waiting: MendedRow[] = []
      for await (const row of rows) {
        waiting.push(row)
        if (waiting.length < GATHERED_ROWS) continue
        await asked(host.gather({ rows: waiting }))
        waiting = []
      }
      if (waiting.length > 0) await asked(host.gather({ rows: waiting }))
      return await asked(host.take({ replay }))
    },
    replays: (run) => asked(host.replays({ run })),
    ranges: (replay, size) => asked(host.ranges({ replay, size })),
    taken: (replay, first, last) => each(host.taken({ replay, first, last })),
    settle: (replay, entry) => asked(host.settle({ replay, entry })),
  }
}

async function asked<A>(call: Effect.Effect<A, StoreFault | RpcClientError>): Promise<A> {
  const result = await Effect.runPromise(Effect.result(call))
  if (result._tag === "Success") return result.success
  throw faultOf(result.failure)
}

async function* each<A>(batches: Stream.Stream<readonly A[], StoreFault | RpcClientError>): AsyncGenerator<A> {
  const faults = Stream.mapError(batches, faultOf)
  for await (const batch of Stream.toAsyncIterable(faults)) yield* batch
}

function faultOf(error: StoreFault | RpcClientError): Error {
  if ("_tag" in error) return failure("connection", "The server is gone", { retryable: false })
  const { reason, message, ...options } = error
  return failure(reason, message, options)
}

const MOST_RUNS = 100
const GATHERED_ROWS = 500
