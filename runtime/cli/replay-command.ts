import { resolve } from "node:path"
import { Effect, Option } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import { type Assignment, parseAssignment } from "../../core/quarantine/mend.ts"
import type { RunRecord } from "../../core/store/run-record.ts"
import { Settings } from "../settings.ts"
import { storeLayer } from "../store/store.ts"
import { editedFile } from "../worker/edited-rows.ts"
import { type Replayed, type ReplayRequest, replayStep, settleEarlier, stepsToReplay } from "../worker/replay-rows.ts"
import { findRun, refused } from "../worker/stored-run.ts"
import { exitCodes, reportCode, Stop } from "./exit-code.ts"
import { jsonFlag } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { replayedLine } from "./quarantine-text.ts"
import { asJson } from "./refusal.ts"
import { replayAt } from "./remote-quarantine.ts"
import { watching } from "./run-request.ts"
import { runArgument } from "./runs-command.ts"
import { Screen } from "./screen.ts"
import { theServer } from "./server-flag.ts"
import { summaryLines } from "./summary.ts"

interface Given {
  readonly text: string
  readonly assignment: Assignment
}

const assignments = Flag.String("set").pipe(
  Flag.withMetavar("COLUMN=EXPR"),
  Flag.withDescription(
    "New value of a column: 'text', a number, NULL, a column, trim(x), replace(x, 'a', 'b'), joined by ||; may be repeated",
  ),
  Flag.atLeast(0),
  Flag.mapEffect((texts) =>
    Effect.forEach(texts, (text): Effect.Effect<Given, CliError.InvalidValue> => {
      const read = parseAssignment(text)
      if (!("fault" in read)) return Effect.succeed({ text, assignment: read })
      const expected = `at character ${read.at}, ${read.fault}`
      return Effect.fail(new CliError.InvalidValue({ option: "set", value: text, expected, kind: "flag" }))
    }),
  ),
)

export const replayCommand = Command.make(
  "replay",
  {
    run: runArgument,
    step: Flag.String("step").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("Only the rows that this step has rejected"),
      Flag.optional,
    ),
    assignments,
    file: Flag.String("file").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("Only the rows of this file, as it holds them: one of quarantine export, .jsonl, edited"),
      Flag.optional,
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Settle an earlier replay although its process hangs, or is gone with its machine"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ run: id, step, assignments: given, file, force, json }) {
    const server = yield* theServer
    if (server !== undefined) {
      const texts = given.map(({ text }) => text)
      return yield* replayAt(server, { run: id, step, texts, file, force, json }).pipe(asJson(json))
    }
    const { cwd } = yield* Settings
    const request: ReplayRequest = {
      step: Option.getOrUndefined(step),
      assignments: given.map(({ assignment }) => assignment),
      edited: Option.isSome(file) ? editedFile(resolve(cwd, file.value)) : undefined,
      force,
    }
    const replayed = Effect.gen(function* () {
      const run = yield* findRun(id)
      if (run.replayOf !== undefined)
        return yield* refused(`Run ${id} is a replay itself`, `Replay the run that rejected the rows: ${run.replayOf}`)
      return yield* replay(run, request, json).pipe(withHost(run.origin.base))
    })
    yield* replayed.pipe(Effect.provide(storeLayer), asJson(json))
  }),
).pipe(
  Command.withDescription(
    "Write the rejected rows of a run that wait, mended or as they are: through the output that rejected them, or from the step on that did. Each is written exactly once, whatever happens in between; rows that are still bad wait on.",
  ),
  Command.withShortDescription("Write the rows of a run, mended"),
)

const replay = Effect.fnUntraced(function* (run: RunRecord, request: ReplayRequest, json: boolean) {
  const screen = yield* Screen
  yield* settleEarlier(run, request.force)
  const steps = yield* stepsToReplay(run, request)
  const done: Replayed[] = []
  for (const step of steps) {
    const result: Replayed = yield* replayStep<Screen>(run, step, request, watching)
    done.push(result)
    if (!json && result.report !== undefined)
      for (const line of summaryLines(result.report, screen.style)) screen.say(line)
    if (!json) screen.say(replayedLine(result, screen.style))
    if (result.report?.status === "cancelled") break
  }
  if (json) screen.out(screen.mask(JSON.stringify({ run: run.id, replays: done }, null, 2)))
  const code = codeOf(done)
  if (code !== exitCodes.ok) return yield* new Stop({ code })
}, Effect.uninterruptible)

function codeOf(done: readonly Replayed[]) {
  const failed = done.find(({ report }) => report !== undefined && report.status !== "succeeded")
  if (failed !== undefined) return reportCode(failed.report!)
  if (done.some(({ trouble }) => trouble !== undefined)) return exitCodes.failed
  return done.some(({ rejected, incomplete }) => rejected + incomplete > 0) ? exitCodes.rejected : exitCodes.ok
}
