import { Context, type Effect, Layer } from "effect"
import type { FlowProblem } from "../../flow/problem.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { FlowProperties } from "../../store/tables/flow-tables.ts"
import type { Actor } from "../access/actor.ts"
import type { RequestError } from "../request-error.ts"
import type { SourceUse } from "../sources/source-registry.ts"
import type { FlowDifference } from "./flow-difference.ts"
import { makeFlowLibrary } from "./make-flow-library.ts"

/** A flow with a name, a folder, properties and versions. */
export interface SavedFlow {
  readonly id: string
  readonly name: string
  readonly folder: string
  readonly description: string
  readonly document: string
  readonly hash: string
  readonly properties: FlowProperties
  readonly owner: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly updatedBy: string
}

export interface FlowDraft {
  readonly name: string
  readonly folder?: string
  readonly description?: string
  /** The text of the document, kept to the letter. */
  readonly document: string
  readonly properties?: Partial<FlowProperties>
  readonly remark?: string
}

export interface FlowVersion {
  readonly version: number
  readonly remark: string
  readonly author: string
  readonly at: number
}

export interface FlowFilter {
  /** In the name or the description. */
  readonly text?: string
  /** With the folders in it. */
  readonly folder?: string
  /** Id of the last one that is known. */
  readonly after?: string
  readonly limit: number
}

/** What flows do to files. */
export interface FileUse {
  readonly step: string
  readonly pointer: string
  /** May hold wildcards and templates. */
  readonly path: string
  readonly access: "read" | "write"
}

type Failure = RequestError | StoreError

/**
 * The flows of the server. A document may be saved unfinished, but not unreadable: JSON with a place for every fault.
 * Its data sources are authorised for whoever saves.
 */
export class FlowLibrary extends Context.Service<
  FlowLibrary,
  {
    /** Oldest first. */
    list(
      filter: FlowFilter,
    ): Effect.Effect<{ readonly items: readonly Omit<SavedFlow, "document">[]; readonly next?: string }, StoreError>
    get(name: string): Effect.Effect<SavedFlow, Failure>
    byId(id: string): Effect.Effect<SavedFlow, Failure>
    create(actor: Actor, draft: FlowDraft): Effect.Effect<SavedFlow, Failure>
    update(actor: Actor, name: string, version: number, draft: FlowDraft): Effect.Effect<SavedFlow, Failure>
    /** Refused while runs of it go on; schedules and triggers go with it. */
    remove(actor: Actor, name: string, version: number): Effect.Effect<void, Failure>
    /** Newest first: those before a version, 200 where nobody says how many. */
    versions(
      name: string,
      page?: { readonly before?: number; readonly limit: number },
    ): Effect.Effect<readonly FlowVersion[], Failure>
    version(name: string, version: number): Effect.Effect<SavedFlow, Failure>
    /** The data sources that a document uses, by its steps: inputs read, outputs write. */
    uses(document: string): Effect.Effect<readonly SourceUse[], RequestError>
    /** The paths that its steps read and write, as they stand in it; a worker touches none outside of the policy's folders. */
    files(document: string): Effect.Effect<readonly FileUse[], RequestError>
    /** What keeps a document from being finished, as far as it can be told without asking any system. */
    faults(document: string): Effect.Effect<readonly FlowProblem[], RequestError>
    compare(name: string, from: number, to: number): Effect.Effect<FlowDifference, Failure>
    /** Makes an old version the newest one; `version` is the one that is newest now. */
    restore(actor: Actor, name: string, version: number, old: number): Effect.Effect<SavedFlow, Failure>
  }
>()("core/server/flows/FlowLibrary") {
  static readonly layer = Layer.effect(FlowLibrary, makeFlowLibrary)
}
