import { Effect } from "effect"
import { StoreDatabase } from "../../store/database.ts"
import { type KeptRow, Quarantine } from "../../store/quarantine.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { Dispatcher, type Job } from "./dispatcher.ts"
import { flowOfJob } from "./flow-of-job.ts"
import { storeCall } from "./store-call.ts"

export interface RejectedFilter {
  readonly step?: string
  readonly status?: KeptRow["status"]
}

/** A run whose rejected rows somebody may see: they are data of its sources. */
export const runToLookInto = Effect.fnUntraced(function* (actor: Actor, id: string) {
  const dispatcher = yield* Dispatcher
  const library = yield* FlowLibrary
  const sources = yield* SourceRegistry
  const job = yield* dispatcher.find(id)
  const { document } = yield* flowOfJob({ library, database: yield* StoreDatabase }, job)
  const uses = yield* library.uses(document)
  yield* sources.authorize(
    actor.account,
    uses.filter(({ access }) => access === "read"),
  )
  return job
})

/** The first of the rejected rows of a run, with how many there are. */
export const rejectedRows = Effect.fnUntraced(function* (
  { id }: Pick<Job, "id">,
  { limit, ...filter }: RejectedFilter & { readonly limit: number },
) {
  const quarantine = yield* Quarantine
  const asked = { run: id, ...filter }
  const total = yield* storeCall(() => quarantine.count(asked))
  const items = yield* storeCall(async () => {
    const rows: KeptRow[] = []
    for await (const row of quarantine.rows({ ...asked, limit })) rows.push(row)
    return rows
  })
  return { items, total }
})

/** Every rejected row of a run as one JSON object a line, read as it is sent. */
export const rejectedLines = Effect.fnUntraced(function* ({ id }: Pick<Job, "id">, filter: RejectedFilter) {
  const quarantine = yield* Quarantine
  const rows = quarantine.rows({ run: id, ...filter })
  return lines(rows)
})

async function* lines(rows: AsyncIterable<KeptRow>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  let waiting: string[] = []
  let characters = 0
  for await (const row of rows) {
    const line = JSON.stringify(row)
    waiting.push(line)
    characters += line.length
    if (characters < PIECE_CHARACTERS) continue
    yield encoder.encode(`${waiting.join("\n")}\n`)
    waiting = []
    characters = 0
  }
  if (waiting.length > 0) yield encoder.encode(`${waiting.join("\n")}\n`)
}

/** Gives up rows that wait; tells how many. */
export const dropRejected = Effect.fnUntraced(function* (actor: Actor, { id, flowName }: Job, step?: string) {
  const quarantine = yield* Quarantine
  const audit = yield* AuditLog
  const dropped = yield* storeCall(() => quarantine.drop(id, step))
  const subject = { kind: "run", id, name: flowName }
  yield* audit.record(actor, { action: "rows.dropped", subject, detail: { step: step ?? null, rows: dropped } })
  return { dropped }
})

const PIECE_CHARACTERS = 65_536
