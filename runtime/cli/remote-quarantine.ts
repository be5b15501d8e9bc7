import { resolve } from "node:path"
import { Effect, Option } from "effect"
import { pluginError } from "../../core/host/failure.ts"
import type { KeptRow } from "../../core/store/quarantine.ts"
import type { Server } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import { editedFile } from "../worker/edited-rows.ts"
import { exportTo } from "../worker/export-rows.ts"
import { lineOf } from "../worker/rejected-rows.ts"
import { confirmed } from "./confirm.ts"
import { count, rows as rowsText } from "./number-text.ts"
import { keptRowTable } from "./quarantine-text.ts"
import { filterOf, rejectedRowsOf } from "./remote-rejected.ts"
import { watched } from "./remote-run.ts"
import { Screen } from "./screen.ts"
import { refuseGiven } from "./server-flag.ts"

interface Of {
  readonly run: string
  readonly step: Option.Option<string>
}

const queryOf = ({ run, step }: Of) => ({ id: run, step: Option.getOrUndefined(step), status: "waiting" as const })

export const showAt = Effect.fnUntraced(function* (server: Server, of: Of & { limit: number; json: boolean }) {
  const screen = yield* Screen
  const { id, ...filter } = queryOf(of)
  const query = { ...filterOf(filter), limit: Math.min(of.limit, 1000) }
  const { items, total } = yield* server.call("GET /runs/:id/rejected", { params: { id }, query })
  const found = items as readonly KeptRow[] // the same, as it is declared for JSON
  if (of.json) {
    for (const row of found) screen.out(JSON.stringify(lineOf(row)))
    return
  }
  if (found.length === 0) return screen.say("No rejected rows wait")
  for (const line of keptRowTable(found, screen.outStyle)) screen.out(line)
  if (total > found.length)
    screen.say(
      screen.style.dim(`${count(found.length)} of ${rowsText(total)}; --limit shows more, --json the whole rows`),
    )
})

export const exportAt = Effect.fnUntraced(function* (server: Server, of: Of & { file: string }) {
  const { cwd } = yield* Settings
  // A file of columns needs all their names first: what the rows say is read twice then.
  const open = () => Effect.runPromise(rejectedRowsOf(server, queryOf(of)))
  // A run that is not there is told before anything is written.
  yield* server.call("GET /runs/:id", { params: { id: of.run } })
  return yield* exportTo(resolve(cwd, of.file), () => opened(open))
})

export const dropAt = Effect.fnUntraced(function* (server: Server, of: Of & { yes: boolean }) {
  const screen = yield* Screen
  const { id, ...filter } = queryOf(of)
  const params = { id }
  const query = { ...filterOf(filter), limit: 1 }
  const { total } = yield* server.call("GET /runs/:id/rejected", { params, query })
  if (total === 0) return screen.say("No rejected rows wait")
  const question = `Drop ${rowsText(total)} of run ${id}? They are never written then.`
  if (!of.yes && !(yield* confirmed("drop the rows", question))) return screen.say("nothing was dropped")
  const body = filter.step === undefined ? {} : { step: filter.step }
  const { dropped } = yield* server.call("POST /runs/:id/drop-rejected", { params, body })
  const held = dropped < total ? `; a replay holds ${rowsText(total - dropped)}` : ""
  screen.say(`dropped ${rowsText(dropped)}${held}`)
})

interface Replay extends Of {
  readonly texts: readonly string[]
  readonly file: Option.Option<string>
  readonly force: boolean
  readonly json: boolean
}

export const replayAt = Effect.fnUntraced(function* (server: Server, { run, step, texts, file, force, json }: Replay) {
  yield* refuseGiven({ force }, "It settles earlier replays by itself")
  const rows = Option.isNone(file) ? {} : { rows: yield* readRows(file.value) }
  const body = { set: texts, ...rows, ...(Option.isSome(step) ? { step: step.value } : {}) }
  const job = yield* server.call("POST /runs/:id/replay", { params: { id: run }, body })
  yield* watched(server, job, { json })
})

const readRows = Effect.fnUntraced(function* (file: string) {
  const { cwd } = yield* Settings
  return yield* Effect.tryPromise({
    try: () => editedFile(resolve(cwd, file)).text(),
    catch: (error) => pluginError(error),
  })
})

async function* opened(open: () => Promise<AsyncIterable<KeptRow>>): AsyncGenerator<KeptRow> {
  yield* await open()
}
