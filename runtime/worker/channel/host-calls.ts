import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import type { FailureReason } from "../../../core/contract/index.ts"
import type { OpenedInput, Rejection } from "../../../core/run/journal.ts"
import type { SplitReceipt } from "../../../core/run/report.ts"
import type { Told } from "../../../core/server/jobs/orders.ts"
import type { KeptRow, KeptRowsFilter, MendedRow, ReplayEntry, Settlement } from "../../../core/store/quarantine.ts"
import type { Mark, NewRun, RecordedStep, RunProgress, RunRecord, RunSummary } from "../../../core/store/run-record.ts"
import type { Attempt, Ending } from "../../../core/store/run-store.ts"
import { plain } from "./plain.ts"

/** A failure of the store, as it crosses a channel. */
export interface StoreFault {
  readonly reason: FailureReason
  readonly message: string
  readonly hint?: string
  readonly code?: string
  readonly retryable: boolean
}

const error = plain<StoreFault>()

/** What a worker asks of its server: to remember its run, and to listen. */
export const HostCalls = RpcGroup.make(
  Rpc.make("register", { payload: plain<{ run: NewRun; isJudged: boolean }>(), success: Schema.Void, error }),
  Rpc.make("find", { payload: plain<{ id: string }>(), success: plain<{ run?: RunRecord }>(), error }),
  Rpc.make("progress", { payload: plain<{ id: string }>(), success: plain<RunProgress>(), error }),
  Rpc.make("claim", { payload: plain<{ run: Attempt }>(), success: Schema.Boolean, error }),
  Rpc.make("planned", { payload: plain<{ run: Attempt; steps: readonly RecordedStep[] }>(), error }),
  Rpc.make("inputOpened", { payload: plain<{ run: Attempt; input: OpenedInput }>(), error }),
  Rpc.make("splitStarted", {
    payload: plain<{ run: Attempt; split: string; attempt: number; kept: readonly string[] }>(),
    error,
  }),
  Rpc.make("splitCommitted", { payload: plain<{ run: Attempt; receipt: SplitReceipt }>(), error }),
  Rpc.make("keep", { payload: plain<{ run: Attempt; rejections: readonly Rejection[] }>(), error }),
  Rpc.make("finish", { payload: plain<{ run: Attempt; ending: Ending }>(), error }),
  Rpc.make("marks", { payload: plain<{ flow: string }>(), success: plain<readonly Mark[]>(), error }),
  Rpc.make("runs", {
    payload: plain<{ flow: string; limit: number }>(),
    success: plain<readonly RunSummary[]>(),
    error,
  }),
  Rpc.make("countRows", { payload: plain<KeptRowsFilter>(), success: Schema.Number, error }),
  Rpc.make("rows", { payload: plain<KeptRowsFilter>(), success: plain<readonly KeptRow[]>(), error, stream: true }),
  Rpc.make("row", { payload: plain<{ run: string; id: number }>(), success: plain<{ row?: KeptRow }>(), error }),
  Rpc.make("replays", {
    payload: plain<{ run: string }>(),
    success: plain<readonly { readonly id: string; readonly isSettled: boolean }[]>(),
    error,
  }),
  /** Some of the rows that `take` takes; they wait in the server until then. */
  Rpc.make("gather", { payload: plain<{ rows: readonly MendedRow[] }>(), error }),
  Rpc.make("take", { payload: plain<{ replay: NewRun }>(), success: Schema.Number, error }),
  Rpc.make("ranges", {
    payload: plain<{ replay: string; size: number }>(),
    success: plain<readonly (readonly [number, number])[]>(),
    error,
  }),
  Rpc.make("taken", {
    payload: plain<{ replay: string; first: number; last: number }>(),
    success: plain<readonly MendedRow[]>(),
    error,
    stream: true,
  }),
  Rpc.make("settle", {
    payload: plain<{ replay: Attempt; entry: ReplayEntry }>(),
    success: plain<Settlement>(),
    error,
  }),
  /** Returns when the server has room for more. */
  Rpc.make("told", { payload: plain<{ items: readonly Told[] }>() }),
)
