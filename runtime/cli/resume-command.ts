import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { storeLayer } from "../store/store.ts"
import { restartRun } from "../worker/restart-run.ts"
import { goOn, refuseUnfit } from "../worker/resume-run.ts"
import type { Watch } from "../worker/run-flow.ts"
import { findRun, storedFlow } from "../worker/stored-run.ts"
import { jsonFlag, overridesOf, planFlags, rejectedFlag, settingsFlags } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { asJson, usage } from "./refusal.ts"
import { overridden, resumeAt } from "./remote-run.ts"
import { reported, sayWarnings, watching } from "./run-request.ts"
import { runArgument } from "./runs-command.ts"
import { Screen } from "./screen.ts"
import { refuseGiven, theServer } from "./server-flag.ts"

export const resumeCommand = Command.make(
  "resume",
  {
    run: runArgument,
    newSnapshot: option(
      "new-snapshot",
      "Read the splits that are left as the source is now, and not as it was when the run began",
    ),
    restart: option(
      "restart",
      "Begin anew with the same flow and parameters: a run of its own takes the place of this one",
    ),
    asStored: option("as-stored", "Go on with the flow as it was when the run began, although its file has changed"),
    force: option(
      "force",
      "Take the run from a process that hangs, or that is gone with its machine; it can commit nothing any more",
    ),
    parameters: planFlags.parameters,
    ...settingsFlags,
    json: jsonFlag,
    rejected: rejectedFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const { json, parameters, asStored, force, newSnapshot } = flags
    const rejected = Option.getOrUndefined(flags.rejected)
    const resumed = Effect.gen(function* () {
      if (flags.restart && newSnapshot) return yield* usage("Only one can be given: --new-snapshot or --restart")
      const server = yield* theServer
      if (server !== undefined) {
        const param = Object.keys(parameters).length > 0
        yield* refuseGiven({ param, "as-stored": asStored }, "It goes on with the flow and the parameters of the run")
        const how = { newSnapshot, restart: flags.restart, force, ...overridden(flags) }
        return yield* resumeAt(server, flags.run, { json, rejected, ...how })
      }
      return yield* resumedHere.pipe(Effect.provide(storeLayer))
    })
    const resumedHere = Effect.gen(function* () {
      const run = yield* findRun(flags.run)
      yield* refuseUnfit(run, { parameters, asStored, force })
      const overrides = { ...run.origin.overrides, ...overridesOf(flags) }
      const flow = yield* storedFlow(run, overrides)
      const going = flags.restart
        ? restartRun(run, { flow, overrides, force }, shown)
        : goOn(run, flow, { newSnapshot }, shown)
      return yield* reported(going, { json, rejected }).pipe(withHost(run.origin.base))
    })
    yield* resumed.pipe(asJson(json))
  }),
).pipe(
  Command.withDescription(
    "Go on with a run that was interrupted or failed: only the splits that are not committed are read and written, each exactly once.",
  ),
  Command.withShortDescription("Go on with a run that did not end well"),
  Command.withExamples([
    { command: "headrace resume 20261121T072445-93e6f0e2", description: "Go on where it stopped" },
    {
      command: "headrace resume 20261121T072445-93e6f0e2 --new-snapshot",
      description: "Although other splits were read from an older state of the data",
    },
    { command: "headrace resume 20261121T072445-93e6f0e2 --restart", description: "Read everything again" },
  ]),
)

/** Shows warnings and progress. */
const shown: Watch<Screen> = (plan, go) =>
  Effect.flatMap(Screen, (screen) => {
    sayWarnings(screen, plan)
    return watching(plan, go)
  })

function option(name: string, description: string) {
  return Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false), Flag.withoutNegation)
}
