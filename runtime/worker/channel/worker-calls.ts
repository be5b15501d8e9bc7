import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import type { FailureReason } from "../../../core/contract/index.ts"
import type { FlowProblem } from "../../../core/flow/problem.ts"
import type { OrderKind, Orders } from "../../../core/server/jobs/orders.ts"
import { plain } from "./plain.ts"

/** Why an order was not carried out. */
export interface OrderFailure {
  readonly kind: "refused" | "failed" | "cancelled" | "defect"
  readonly message: string
  readonly reason?: FailureReason
  readonly code?: string
  readonly hint?: string
  readonly problems?: readonly FlowProblem[]
}

/** An order by its kind. */
export type Order = { readonly [K in OrderKind]: { readonly kind: K; readonly order: Orders[K] } }[OrderKind]

/** What a server asks of a worker. */
export const WorkerCalls = RpcGroup.make(
  Rpc.make("perform", { payload: plain<Order>(), success: plain<unknown>(), error: plain<OrderFailure>() }),
  /** Ends what goes on, if anything does. */
  Rpc.make("cancel", { success: Schema.Void }),
)
