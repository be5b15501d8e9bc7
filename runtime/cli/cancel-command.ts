import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { RunRecord } from "../../core/store/run-record.ts"
import { lifeOf } from "../store/process-owner.ts"
import { storeLayer } from "../store/store.ts"
import { stopProcess } from "../worker/cancel-run.ts"
import { closeRun } from "../worker/close-run.ts"
import { settleReplay } from "../worker/settle-replay.ts"
import { findRun, refuseBusy, refused, storedFlow } from "../worker/stored-run.ts"
import { exitCodes, Stop } from "./exit-code.ts"
import { jsonFlag } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { count } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import { asJson } from "./refusal.ts"
import { cancelAt } from "./remote-run.ts"
import { runArgument } from "./runs-command.ts"
import { Screen } from "./screen.ts"
import { refuseGiven, theServer } from "./server-flag.ts"
import { outputLines } from "./summary.ts"

export const cancelCommand = Command.make(
  "cancel",
  {
    run: runArgument,
    deadline: Flag.Int("deadline").pipe(
      Flag.withMetavar("SECONDS"),
      Flag.withDescription(
        "How long the process may take before it is killed; by default the flow's cancelTimeoutMs and 5 s",
      ),
      Flag.filter(
        (value) => value >= 0,
        (value) => `${value} is below 0`,
      ),
      Flag.optional,
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Give the run up although its machine cannot be asked, or what it left cannot be removed"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ run: id, deadline, force, json }) {
    const cancelled = Effect.gen(function* () {
      const server = yield* theServer
      if (server === undefined) return yield* cancelledHere.pipe(Effect.provide(storeLayer))
      yield* refuseGiven({ force }, "It looks after what a run has left by itself")
      return yield* cancelAt(server, id, { deadline, json })
    })
    const cancelledHere = Effect.gen(function* () {
      const run = yield* findRun(id)
      return yield* cancel(run, { deadline, force, json }).pipe(withHost(run.origin.base))
    })
    yield* cancelled.pipe(asJson(json))
  }),
).pipe(
  Command.withDescription(
    "Give up a run: stop its process if it has one, remove what it left unfinished at its targets, record it as cancelled. What is committed stays.",
  ),
  Command.withShortDescription("Stop a run, or give up one that did not end well"),
  Command.withExamples([
    { command: "headrace cancel 20261121T072445-93e6f0e2", description: "Stop it, and clean up behind it" },
    { command: "headrace cancel 20261121T072445-93e6f0e2 --deadline 5", description: "Kill it after 5 s" },
  ]),
)

interface CancelFlags {
  readonly deadline: Option.Option<number>
  readonly force: boolean
  readonly json: boolean
}

const cancel = Effect.fnUntraced(function* (found: RunRecord, { deadline, force, json }: CancelFlags) {
  const screen = yield* Screen
  const { id } = found
  yield* refuseEnded(found)
  const flow = yield* storedFlow(found)
  const usual = flow.settings.cancelTimeoutMs + GRACE_MS
  const deadlineMs = Option.match(deadline, { onNone: () => usual, onSome: (seconds) => seconds * 1000 })
  if (lifeOf(found.owner) === "elsewhere") yield* refuseBusy("cancel", found, force)
  const run = yield* stopProcess(found, { deadlineMs, say: (text) => screen.say(text) })
  if (run.status === "succeeded") {
    const message = `Run ${id} has succeeded before it could be cancelled`
    if (json) screen.out(JSON.stringify({ status: "succeeded", message }))
    screen.say(problemText({ message }, "error", screen.style))
    return yield* new Stop({ code: exitCodes.failed })
  }
  if (run.replayOf !== undefined) {
    const { replayed, released } = yield* settleReplay(id, { force: true })
    const told = `${count(replayed)} rows were replayed, ${count(released)} wait on`
    if (json) screen.out(JSON.stringify({ status: "cancelled", replayed, released }))
    return screen.say(`${screen.style.yellow("cancelled")}: run ${id}; ${told}`)
  }
  const { report, troubles } = yield* closeRun(run, flow, { force })
  if (json) screen.out(screen.mask(JSON.stringify(report, null, 2)))
  else for (const line of outputLines(report)) screen.say(line)
  for (const note of report.notes) screen.say(`note: ${note}`)
  if (troubles.length > 0 && !force) {
    const message = `Run ${id} is cancelled, but not everything that it left could be removed`
    const hint = `Run "headrace cancel ${id}" again when that is mended, or leave it behind with --force`
    screen.say(problemText({ message, hint }, "error", screen.style))
    return yield* new Stop({ code: exitCodes.failed })
  }
  screen.say(`${screen.style.yellow("cancelled")}: run ${id}`)
})

function refuseEnded({ id, status, isDiscarded, isSettled }: RunRecord) {
  if (status === "succeeded") return refused(`Cannot cancel run ${id}: it has succeeded`)
  if (isDiscarded || isSettled) return refused(`Cannot cancel run ${id}: it has been given up before`)
  return Effect.void
}

/** For the process to end after its steps have had their time. */
const GRACE_MS = 5000
