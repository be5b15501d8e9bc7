import { Effect } from "effect"
import type { Flow } from "../../flow/flow-schema.ts"
import { readFlow } from "../../flow/read-flow.ts"
import type { FlowLibrary, SavedFlow } from "../flows/flow-library.ts"
import { refuse } from "../request-error.ts"
import type { SourceUse } from "../sources/source-registry.ts"

/** A saved flow with what its document says, read once. */
export interface KnownFlow {
  readonly saved: SavedFlow
  readonly flow: Flow
  readonly uses: readonly SourceUse[]
}

/** Documents that were read, by their hash: the same few flows are run over and over. */
export class FlowCache {
  readonly #library: FlowLibrary["Service"]
  readonly #read = new Map<string, Pick<KnownFlow, "flow" | "uses">>()

  constructor(library: FlowLibrary["Service"]) {
    this.#library = library
  }

  named(name: string, version?: number) {
    return Effect.flatMap(
      version === undefined ? this.#library.get(name) : this.#library.version(name, version),
      (saved) => this.#known(saved),
    )
  }

  /** Of the flow as it is called now. */
  versionOf(id: string, version: number) {
    return Effect.flatMap(this.#library.byId(id), (saved) =>
      saved.version === version
        ? this.#known(saved)
        : Effect.flatMap(this.#library.version(saved.name, version), (old) => this.#known(old)),
    )
  }

  #known = Effect.fnUntraced({ self: this }, function* (this: FlowCache, saved: SavedFlow) {
    const key = saved.document
    let read = this.#read.get(key)
    if (read === undefined) {
      const flow = yield* Effect.mapError(readFlow(saved.document, `flow "${saved.name}"`), ({ message, problems }) =>
        refuse("invalid", message, { problems }),
      )
      read = { flow, uses: yield* this.#library.uses(saved.document) }
      if (this.#read.size >= MOST_READ) this.#read.delete(this.#read.keys().next().value!)
      this.#read.set(key, read)
    }
    return { saved, ...read } satisfies KnownFlow
  })
}

const MOST_READ = 200
