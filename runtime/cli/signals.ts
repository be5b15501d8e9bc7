import process from "node:process"
import { Context, Deferred, Effect, type Fiber } from "effect"
import { exitCodes } from "./exit-code.ts"

/** What the process is told from outside. */
export class Signals extends Context.Service<
  Signals,
  {
    /**
     * Waits to be told to stop, which from now on is nothing but that: whoever waits ends in their own way, and has done
     * well. A second signal kills all the same.
     */
    readonly stop: Effect.Effect<void>
  }
>()("runtime/cli/Signals") {}

export interface Watched {
  readonly signals: Signals["Service"]
  /** Lets the first signal interrupt a command, unless the command waits for it itself. */
  watch(fiber: Fiber.Fiber<unknown, unknown>): void
  /** Ends it, and tells the exit code of a signal that has interrupted. */
  end(): number | undefined
}

/** The first Ctrl-C cancels, the second kills. */
export function watchSignals(): Watched {
  const told = Deferred.makeUnsafe<void>()
  let isAwaited = false
  let code: number | undefined
  let watched: Fiber.Fiber<unknown, unknown> | undefined
  let isTold = false
  const onSignal = (signal: "SIGINT" | "SIGTERM") => {
    const number = signal === "SIGINT" ? exitCodes.cancelled : 143
    if (isTold) process.exit(number)
    isTold = true
    if (isAwaited) {
      Deferred.doneUnsafe(told, Effect.void)
      return
    }
    code = number
    process.stderr.write("\ncancelling; press Ctrl-C again to kill\n")
    watched?.interruptUnsafe()
  }
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  return {
    signals: {
      stop: Effect.suspend(() => {
        isAwaited = true
        return Deferred.await(told)
      }),
    },
    watch(fiber) {
      watched = fiber
      if (code !== undefined) fiber.interruptUnsafe()
    },
    end() {
      process.off("SIGINT", onSignal)
      process.off("SIGTERM", onSignal)
      return code
    },
  }
}
