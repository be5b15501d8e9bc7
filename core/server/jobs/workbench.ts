import { Context, type Effect } from "effect"
import type { FlowProblem } from "../../flow/problem.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { Actor } from "../access/actor.ts"
import type { RequestError } from "../request-error.ts"
import type { OpenSource } from "../sources/source-registry.ts"
import type { CreatedTables } from "./orders.ts"

/** A flow that is looked at, saved or not. */
export interface FlowQuestion {
  readonly document: string
  readonly environment: "prod" | "dev"
  readonly parameters?: Readonly<Record<string, string>>
  readonly bizdate?: string
  readonly scheduledAt?: string
}

/** What checking has found. Problems stop a run, warnings do not. */
export interface CheckedFlow {
  readonly problems: readonly FlowProblem[]
  readonly warnings: readonly FlowProblem[]
}

type Failure = RequestError | StoreError

/**
 * What people ask while they write flows. It is answered by a worker, never in the server's process, with a deadline, and
 * with the grants of whoever asks; nothing of it can write but what makes tables.
 */
export class Workbench extends Context.Service<
  Workbench,
  {
    check(actor: Actor, question: FlowQuestion): Effect.Effect<CheckedFlow, Failure>
    /** As `headrace plan --json` prints it. */
    plan(actor: Actor, question: FlowQuestion): Effect.Effect<unknown, Failure>
    /** As `headrace preview --json` prints it. */
    preview(
      actor: Actor,
      question: FlowQuestion & { readonly step?: string; readonly rows: number },
    ): Effect.Effect<unknown, Failure>
    /** As `headrace params --json` prints it. */
    parameters(actor: Actor, question: FlowQuestion): Effect.Effect<unknown, Failure>
    /** Makes the tables that outputs would create, and moves no row. */
    createTables(actor: Actor, question: FlowQuestion): Effect.Effect<CreatedTables, Failure>
    testConnection(source: OpenSource): Effect.Effect<{ readonly server: string; readonly durationMs: number }, Failure>
    tables(
      source: OpenSource,
      filter: { readonly schema?: string; readonly text?: string },
    ): Effect.Effect<unknown, Failure>
    columns(
      source: OpenSource,
      table: { readonly schema?: string; readonly name: string },
    ): Effect.Effect<unknown, Failure>
  }
>()("core/server/jobs/Workbench") {}
