import { Effect, Option } from "effect"
import type { KeptRow, WaitingRows } from "../../core/store/quarantine.ts"
import type { Run } from "../remote/follow-run.ts"
import type { Server } from "../remote/server-client.ts"

export interface RejectedQuery {
  readonly id: string
  readonly step?: string | undefined
  readonly status?: KeptRow["status"]
}

/** The rejected rows of a run, read as they come. */
export const rejectedRowsOf = Effect.fnUntraced(function* (server: Server, { id, ...filter }: RejectedQuery) {
  const query = filterOf(filter)
  const { body } = yield* server.open("GET /runs/:id/rejected/download", { params: { id }, query })
  return body === null ? none() : rowsIn(body)
})

export function filterOf({ step, status }: Omit<RejectedQuery, "id">) {
  return { ...(step === undefined ? {} : { step }), ...(status === undefined ? {} : { status }) }
}

/** Of the newest runs that have rejected rows: how many wait, by step and reason. */
export const waitingAt = Effect.fnUntraced(function* (server: Server) {
  const found: WaitingRows[] = []
  let after: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const query = { limit: 200, ...(after === undefined ? {} : { after }) }
    const { items, next } = yield* server.call("GET /runs", { query })
    for (const run of items)
      if (run.rejected !== null && run.rejected > 0) found.push(...(yield* waitingOf(server, run)))
    if (next === undefined) break
    after = next
  }
  return found
})

/** None where somebody may not look into the rows. */
const waitingOf = Effect.fnUntraced(function* (server: Server, { id, flowName }: Run) {
  const query = { status: "waiting" as const, limit: 1000 }
  const rows = yield* Effect.option(server.call("GET /runs/:id/rejected", { params: { id }, query }))
  const groups = new Map<string, WaitingRows>()
  for (const { step, reason, replay } of Option.isSome(rows) ? rows.value.items : []) {
    const key = `${step} ${reason}`
    const before = groups.get(key) ?? { run: id, flow: flowName, step, reason, rows: 0, held: 0 }
    groups.set(key, { ...before, rows: before.rows + 1, held: before.held + (replay === undefined ? 0 : 1) })
  }
  return [...groups.values()]
})

async function* rowsIn(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<KeptRow> {
  let waiting = ""
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const lines = (waiting + decoder.decode(chunk, { stream: true })).split("\n")
    waiting = lines.pop()!
    for (const line of lines) if (line !== "") yield JSON.parse(line) as KeptRow // as the server writes it
  }
  if (waiting !== "") yield JSON.parse(waiting) as KeptRow // the last one of them
}

async function* none(): AsyncGenerator<KeptRow> {}

const MOST_PAGES = 5
