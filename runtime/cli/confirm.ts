import process from "node:process"
import { createInterface } from "node:readline/promises"
import { Effect } from "effect"
import { Flag } from "effect/cli"
import { usage } from "./refusal.ts"

export const yesFlag = Flag.Boolean("yes").pipe(
  Flag.withDescription("Do not ask"),
  Flag.withDefault(false),
  Flag.withoutNegation,
)

/** Asks on the terminal whether to do what cannot be undone. */
export const confirmed = Effect.fnUntraced(function* (what: string, question: string) {
  if (process.stdin.isTTY !== true)
    return yield* usage(`Cannot ask whether to ${what}: there is no terminal`, "Say so with --yes")
  return yield* Effect.promise(async () => {
    using reader = createInterface({ input: process.stdin, output: process.stderr })
    return /^y(es)?$/i.test((await reader.question(`${question} [y/N] `)).trim())
  })
})
