import { Schema } from "effect"
import { Instant, Version } from "./fields.ts"

/** Astral letters count twice here; the library counts them once. */
export const FlowName = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(128)).annotate({
  description: 'At most 64 characters, none of | \\ / : ? < > * ".',
})

export const Folder = Schema.String.check(Schema.isMaxLength(520)).annotate({
  description: "Names with slashes between them; empty: the root.",
})

export const Document = Schema.String.annotate({
  description: "The text of the flow document, kept to the letter: at most 500,000 characters of JSON.",
})

const properties = {
  priority: Schema.Int.annotate({ description: "1 runs first, 9 last." }),
  timeoutHours: Schema.Number.annotate({ description: "0 to 168; 0: no limit." }),
  retries: Schema.Int.annotate({ description: "0 to 10." }),
  retryMinutes: Schema.Int.annotate({ description: "1 to 60." }),
  onCrash: Schema.Literals(["resume", "fail"]).annotate({
    description: "What becomes of a run whose server or worker has died.",
  }),
  concurrency: Schema.Int.annotate({ description: "Runs of the flow at the same time." }),
}

export const Properties = Schema.Struct(properties).annotate({ identifier: "FlowProperties" })

export const SomeProperties = Schema.Struct({
  priority: Schema.optionalKey(properties.priority),
  timeoutHours: Schema.optionalKey(properties.timeoutHours),
  retries: Schema.optionalKey(properties.retries),
  retryMinutes: Schema.optionalKey(properties.retryMinutes),
  onCrash: Schema.optionalKey(properties.onCrash),
  concurrency: Schema.optionalKey(properties.concurrency),
})

const about = {
  id: Schema.String,
  name: FlowName,
  folder: Folder,
  description: Schema.String,
  hash: Schema.String.annotate({ description: "SHA-256 of the document, in hex." }),
  properties: Properties,
  owner: Schema.String.annotate({ description: "Id of the user who has made it." }),
  version: Version,
  createdAt: Instant,
  updatedAt: Instant,
  updatedBy: Schema.String,
}

export const ListedFlow = Schema.Struct(about).annotate({ identifier: "ListedFlow" })

export const Flow = Schema.Struct({ ...about, document: Document }).annotate({ identifier: "Flow" })

export const Problem = Schema.Struct({
  step: Schema.optionalKey(Schema.String),
  pointer: Schema.optionalKey(Schema.String.annotate({ description: "JSON pointer into the document." })),
  message: Schema.String,
  hint: Schema.optionalKey(Schema.String),
}).annotate({ identifier: "FlowProblem" })

export const Saved = Schema.Struct({
  ...about,
  document: Document,
  faults: Schema.Array(Problem).annotate({
    description: "What keeps the flow from being finished, if something does.",
  }),
}).annotate({ identifier: "SavedFlow" })

export const FlowVersion = Schema.Struct({
  ...{ version: Version, remark: Schema.String, author: Schema.String, at: Instant },
}).annotate({ identifier: "FlowVersion" })

const Change = Schema.Struct({
  pointer: Schema.String,
  before: Schema.optionalKey(Schema.Unknown),
  after: Schema.optionalKey(Schema.Unknown),
}).annotate({ identifier: "Change" })

const Changes = Schema.Array(Change)
const ends = { from: Schema.String, to: Schema.String }

export const Difference = Schema.Struct({
  steps: Schema.Struct({
    added: Schema.Array(Schema.String),
    removed: Schema.Array(Schema.String),
    changed: Schema.Array(Schema.Struct({ id: Schema.String, changes: Changes })),
  }),
  hops: Schema.Struct({
    added: Schema.Array(Schema.Struct(ends)),
    removed: Schema.Array(Schema.Struct(ends)),
    changed: Schema.Array(Schema.Struct({ ...ends, changes: Changes })),
  }),
  ...{ settings: Changes, rest: Changes, properties: Changes },
  isDrawnAnew: Schema.Boolean.annotate({ description: "The drawing has changed, which means nothing for a run." }),
  isReordered: Schema.Boolean,
}).annotate({ identifier: "FlowDifference" })

/** JSON spells some characters by six, such as a line break in a document that is itself JSON. */
export const DOCUMENT_BYTES = 4 * 1024 * 1024
