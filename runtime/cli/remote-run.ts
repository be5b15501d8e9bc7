import { basename, resolve } from "node:path"
import { Effect, Option } from "effect"
import type { Api } from "../../web/api/index.ts"
import { followRun, hasEnded, type Run } from "../remote/follow-run.ts"
import type { Server } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import type { PlanJson } from "../worker/plan-json.ts"
import { lineOf, mapped, writeLines } from "../worker/rejected-rows.ts"
import { exitCodes, reportCode, Stop } from "./exit-code.ts"
import { readText } from "./flow-document.ts"
import { overridesOf, type PlanFlags, planRequest } from "./flow-flags.ts"
import { count } from "./number-text.ts"
import { planLines } from "./plan-text.ts"
import { problemText } from "./problem-text.ts"
import { Progress } from "./progress.ts"
import { rejectedRowsOf } from "./remote-rejected.ts"
import { reportOf, runJsonOf } from "./remote-run-text.ts"
import { Screen } from "./screen.ts"
import { summaryLines } from "./summary.ts"
import { printable } from "./text-table.ts"

/** What a run of a server is asked for with. */
export interface RemoteRunFlags extends PlanFlags {
  readonly environment: Option.Option<"prod" | "dev">
  readonly parallel: Option.Option<number>
  readonly errorLimit: Option.Option<number>
  readonly rejected: Option.Option<string>
  readonly dryRun: boolean
  readonly detach: boolean
  readonly json: boolean
}

/** Runs a flow of the server by its name, or a file without saving it; prints what a run on this machine does. */
export const runAt = Effect.fnUntraced(function* (server: Server, flags: RemoteRunFlags & { readonly flow: string }) {
  const { flow } = flags
  if (isFile(flow)) {
    const { document } = yield* readText(flow)
    return yield* runDocumentAt(server, { title: titleOf(flow), document }, flags)
  }
  const params = { name: flow }
  if (flags.dryRun) {
    const { document } = yield* server.call("GET /flows/:name", { params })
    return yield* planned(server, document, flags)
  }
  const asked = { ...requestOf(flags), ...overridden(flags) }
  const run = yield* server.call("POST /flows/:name/runs", { params, body: asked, headers: onceOnly() })
  yield* waited(server, run, flags)
})

interface Unsaved {
  readonly title: string
  readonly document: string
}

/** Runs a document on the server without saving it. */
export const runDocumentAt = Effect.fnUntraced(function* (
  server: Server,
  { title, document }: Unsaved,
  flags: RemoteRunFlags,
) {
  if (flags.dryRun) return yield* planned(server, document, flags)
  const body = { title, document, ...requestOf(flags), ...overridden(flags) }
  const run = yield* server.call("POST /runs", { body, headers: onceOnly() })
  yield* waited(server, run, flags)
})

const planned = Effect.fnUntraced(function* (server: Server, document: string, flags: RemoteRunFlags) {
  const screen = yield* Screen
  // Workers answer with what planJson makes.
  const plan = (yield* server.call("POST /plan", { body: { document, ...requestOf(flags) } })) as PlanJson
  if (flags.json) return screen.out(screen.mask(JSON.stringify(plan, null, 2)))
  for (const line of planLines(plan, screen.outStyle, screen.mask)) screen.out(line)
})

const waited = Effect.fnUntraced(function* (server: Server, run: Run, { detach, json, rejected }: RemoteRunFlags) {
  const { out } = yield* Screen
  if (detach) return out(json ? JSON.stringify(runJsonOf(run), null, 2) : printable(run.id))
  yield* watched(server, run, { json, rejected: Option.getOrUndefined(rejected) })
})

function requestOf(flags: RemoteRunFlags) {
  return { ...planRequest(flags), environment: Option.getOrElse(flags.environment, () => "prod" as const) }
}

/** Left out where the call gives none: a trigger may give none. */
export function overridden(flags: Pick<RemoteRunFlags, "parallel" | "errorLimit">) {
  const overrides = overridesOf(flags)
  return Object.keys(overrides).length === 0 ? {} : { overrides }
}

/** Without a key, a request that is sent twice on the way would be two runs. */
function onceOnly() {
  return { "idempotency-key": crypto.randomUUID() }
}

/** No name of a flow has a slash, and one that ends like a file is taken for one. */
function isFile(flow: string): boolean {
  return flow === "-" || /[\\/]|\.json$/i.test(flow)
}

/** What a run of a file is called: its last part, as far as there is room. */
function titleOf(file: string): string {
  if (file === "-") return "the standard input"
  return fitted(basename(file).trim() || file)
}

/** What a title may be: one line of so many characters. */
export function fitted(text: string): string {
  const title = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?").trim()
  return title.length > MOST_TITLE
    ? `${title
        .slice(0, MOST_TITLE - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, "")}…`
    : title
}

const MOST_TITLE = 100

interface WatchOptions {
  readonly json: boolean
  readonly rejected?: string | undefined
}

/** Shows the progress of a run until its end, and prints what came of it. Ctrl-C cancels the run. */
export const watched = Effect.fnUntraced(function* (server: Server, { id }: Run, options: WatchOptions) {
  const screen = yield* Screen
  const progress = new Progress(screen, () => performance.now())
  const follow = followRun(server, id, {
    take: (event) => {
      if (event.type === "job.progressed") progress.take(event.event)
      else if (event.type === "job.started") screen.live([])
      else if (event.type === "job.state" && event.job.status === "queued") screen.live(["waiting for a worker"])
    },
  }).pipe(Effect.ensuring(Effect.sync(() => progress.end())))
  yield* follow.pipe(Effect.onInterrupt(() => Effect.ignore(givenUp(server, id, options))))
  yield* told(server, id, options)
})

const givenUp = Effect.fnUntraced(function* (server: Server, id: string, options: WatchOptions) {
  yield* server.call("POST /runs/:id/cancel", { params: { id } })
  yield* followRun(server, id, { take: () => {} })
  yield* told(server, id, options)
})

/** Prints what came of a run that has ended; ends with the exit code that belongs to it. */
export const told = Effect.fnUntraced(function* (server: Server, id: string, { json, rejected }: WatchOptions) {
  const screen = yield* Screen
  const run = yield* server.call("GET /runs/:id", { params: { id } })
  const written = rejected === undefined ? undefined : yield* keptIn(server, id, rejected)
  const report = reportOf(run)
  const code = codeOf(run, report)
  if (report === undefined) {
    if (json) screen.out(JSON.stringify({ ...runJsonOf(run), message: run.message }, null, 2))
    else if (run.message !== null) screen.say(problemText({ message: run.message }, "error", screen.style))
    screen.say(`${run.status} ${screen.style.dim(`(run ${id})`)}`)
  } else {
    const notes = written === undefined ? report.notes : [...report.notes, `rejected rows: ${written}`]
    const whole = { ...report, notes, runId: id }
    if (json) screen.out(screen.mask(JSON.stringify(whole, null, 2)))
    else for (const line of summaryLines(whole, screen.style, run.detail?.outputs)) screen.say(line)
  }
  if (code !== exitCodes.ok) return yield* new Stop({ code })
})

function codeOf(run: Run, report: ReturnType<typeof reportOf>) {
  if (run.status === "succeeded" || run.status === "skipped") return exitCodes.ok
  if (run.status === "cancelled") return exitCodes.cancelled
  return report === undefined || report.status === "succeeded" ? exitCodes.failed : reportCode(report)
}

const keptIn = Effect.fnUntraced(function* (server: Server, id: string, file: string) {
  const { cwd } = yield* Settings
  const path = resolve(cwd, file)
  const rows = yield* rejectedRowsOf(server, { id })
  const lines = mapped(rows, (row) => JSON.stringify({ runId: id, ...lineOf(row) }))
  const written = yield* Effect.tryPromise({
    try: () => writeLines(path, "a", lines),
    catch: (error) => error as Error, // it says what is wrong
  })
  return written === 0 ? undefined : path
})

export const resumeAt = Effect.fnUntraced(function* (
  server: Server,
  id: string,
  { json, rejected, ...body }: WatchOptions & Api["POST /runs/:id/resume"]["body"],
) {
  const run = yield* server.call("POST /runs/:id/resume", { params: { id }, body })
  yield* watched(server, run, { json, rejected })
})

interface CancelFlags {
  readonly deadline: Option.Option<number>
  readonly json: boolean
}

export const cancelAt = Effect.fnUntraced(function* (server: Server, id: string, { deadline, json }: CancelFlags) {
  const screen = yield* Screen
  const body = Option.isNone(deadline) ? {} : { deadlineMs: deadline.value * 1000 }
  const asked = yield* server.call("POST /runs/:id/cancel", { params: { id }, body })
  const run = hasEnded(asked) ? asked : yield* followRun(server, id, { take: () => {} })
  if (json) screen.out(JSON.stringify(runJsonOf(run), null, 2))
  if (run.status === "succeeded") {
    const message = `Run ${id} has succeeded before it could be cancelled`
    screen.say(problemText({ message }, "error", screen.style))
    return yield* new Stop({ code: exitCodes.failed })
  }
  const kept = run.written ? `; ${count(run.written)} rows stay written` : ""
  screen.say(`${screen.style.yellow(run.status)}: run ${id}${kept}`)
})
