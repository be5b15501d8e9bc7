import { Effect } from "effect"
import type { Flow } from "../../flow/flow-schema.ts"
import { readFlow } from "../../flow/read-flow.ts"
import type { StoreDatabase } from "../../store/database.ts"
import type { FlowLibrary, SavedFlow } from "../flows/flow-library.ts"
import { refuse } from "../request-error.ts"
import type { SourceUse } from "../sources/source-registry.ts"
import type { UnsavedFlow } from "./dispatcher.ts"
import { type FlowOfJob, flowOfJob, unsavedFlow } from "./flow-of-job.ts"
import { TextCache } from "./text-cache.ts"

/** A flow that can be run, with what its document says. */
export interface KnownFlow extends FlowOfJob {
  readonly flow: Flow
  readonly uses: readonly SourceUse[]
}

/** Documents that were read, by their text: the same few flows are run over and over. */
export class FlowCache {
  readonly #library: FlowLibrary["Service"]
  readonly #database: StoreDatabase["Service"]
  readonly #read = new TextCache<Pick<KnownFlow, "flow" | "uses">>({ texts: MOST_READ, characters: MOST_CHARACTERS })

  constructor(library: FlowLibrary["Service"], database: StoreDatabase["Service"]) {
    this.#library = library
    this.#database = database
  }

  named(name: string, version?: number) {
    return Effect.flatMap(
      version === undefined ? this.#library.get(name) : this.#library.version(name, version),
      (saved: SavedFlow) => this.#known(saved),
    )
  }

  unsaved(flow: UnsavedFlow) {
    return this.#known(unsavedFlow(flow))
  }

  /** Of a job that there is: its version of the flow, under the name that the flow has now. */
  ofJob(job: Parameters<typeof flowOfJob>[1]) {
    const stores = { library: this.#library, database: this.#database }
    return Effect.flatMap(flowOfJob(stores, job), (found) => this.#known(found))
  }

  #known = Effect.fnUntraced({ self: this }, function* (this: FlowCache, found: FlowOfJob) {
    const { id, name, version, document, properties } = found
    let read = this.#read.get(document)
    if (read === undefined) {
      const flow = yield* Effect.mapError(readFlow(document, `flow "${name}"`), ({ message, problems }) =>
        refuse("invalid", message, { problems }),
      )
      read = { flow, uses: yield* this.#library.uses(document) }
      this.#read.set(document, read)
    }
    return { id, name, version, document, properties, ...read } satisfies KnownFlow
  })
}

const MOST_READ = 200
/** Whoever runs documents without saving them has as many large ones as they like; what is made of one is larger still. */
const MOST_CHARACTERS = 2_000_000
