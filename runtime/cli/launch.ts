import process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Fiber, Layer } from "effect"
import { CliConfig, CliError, Command, GlobalFlag } from "effect/cli"
import { FlowError } from "../../core/flow/problem.ts"
import { PluginError } from "../../core/host/failure.ts"
import { ServerError } from "../remote/server-client.ts"
import { readSettings, Settings } from "../settings.ts"
import { Secrets } from "../sources/secrets.ts"
import { advised } from "../worker/advice.ts"
import { type ExitCode, exitCodes, failureCode, Stop } from "./exit-code.ts"
import { presenterLayer } from "./presenter.ts"
import { placed, problemText } from "./problem-text.ts"
import { serverCode, serverProblems } from "./refusal.ts"
import { rootCommand } from "./root-command.ts"
import { Screen, screenLayer } from "./screen.ts"
import { Signals, watchSignals } from "./signals.ts"
import { watched } from "./watched-stream.ts"

/** Runs the command line and resolves to the exit code. The first Ctrl-C cancels, the second kills. */
export async function launch(words: readonly string[], version: string): Promise<number> {
  const isVerbose = words.includes("--verbose")
  const settings = readSettings(process.env, process.cwd(), isVerbose)
  const { environment, verbose } = settings
  const out = watched(process.stdout)
  const signals = watchSignals()
  const layer = Layer.mergeAll(
    NodeServices.layer,
    CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
    presenterLayer,
    Layer.succeed(Settings, settings),
    Layer.succeed(Signals, signals.signals),
  ).pipe(
    Layer.provideMerge(screenLayer({ out, err: process.stderr, environment, verbose })),
    Layer.provideMerge(Secrets.layer),
  )
  const program = Command.runWith(rootCommand, { version })(words).pipe(
    Effect.as<ExitCode>(exitCodes.ok),
    Effect.catchCause(report),
    Effect.provide(layer),
  )
  const fiber = Effect.runFork(program)
  signals.watch(fiber)
  const exit = await Effect.runPromise(Fiber.await(fiber))
  const code = signals.end() ?? (Exit.isSuccess(exit) ? exit.value : exitCodes.cancelled)
  const lost = await out.drained()
  if (lost === undefined) return code
  process.stderr.write(`error: Cannot write to the standard output: ${lost.message}\n`)
  return code === exitCodes.ok ? exitCodes.failed : code
}

/** Says what went wrong and gives the exit code. */
const report = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
  const screen = yield* Screen
  const { verbose } = yield* Settings
  const { style, say } = screen
  if (Cause.hasInterruptsOnly(cause)) {
    say("cancelled")
    return exitCodes.cancelled
  }
  const error = Cause.squash(cause)
  if (error instanceof Stop) return error.code
  if (CliError.isCliError(error)) {
    const isHelp = error._tag === "ShowHelp" && error.errors.length === 0
    return isHelp ? exitCodes.ok : exitCodes.usage
  }
  if (error instanceof FlowError) {
    for (const problem of error.problems) say(problemText(problem, "error", style))
    if (verbose) say(style.dim(Cause.pretty(cause)))
    return exitCodes.usage
  }
  if (error instanceof ServerError) {
    for (const problem of serverProblems(error)) say(problemText(placed(problem), "error", style))
    return serverCode(error)
  }
  if (error instanceof PluginError) {
    say(problemText(advised(error), "error", style))
    if (verbose) say(style.dim(Cause.pretty(Cause.fail(error.cause ?? error))))
    return failureCode(error.reason)
  }
  const message = error instanceof Error ? error.message : String(error)
  const hint = verbose ? {} : { hint: "This is a fault in Headrace; add --verbose to see where" }
  say(problemText({ message, ...hint }, "error", style))
  if (verbose) say(style.dim(Cause.pretty(cause)))
  return exitCodes.defect
})
