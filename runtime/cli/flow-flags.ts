import { Effect, Option } from "effect"
import { Argument, CliError, Flag } from "effect/cli"
import type { RunOverrides } from "../../core/store/run-record.ts"
import { usage } from "./refusal.ts"

export const flowArgument = Argument.String("FLOW").pipe(
  Argument.withDescription("File of the flow document; - reads the standard input"),
)

const parameters = Flag.String("param").pipe(
  Flag.withAlias("p"),
  Flag.withMetavar("NAME=VALUE"),
  Flag.withDescription("Value of a parameter of the flow; may be repeated"),
  Flag.atLeast(0),
  Flag.mapEffect((pairs) =>
    Effect.forEach(pairs, (pair) => {
      const at = pair.indexOf("=")
      if (at > 0) return Effect.succeed([pair.slice(0, at), pair.slice(at + 1)] as const)
      return Effect.fail(
        new CliError.InvalidValue({ option: "param", value: pair, expected: "NAME=VALUE", kind: "flag" }),
      )
    }),
  ),
  Flag.map((pairs): Readonly<Record<string, string>> => Object.fromEntries(pairs)),
)

const bizdate = Flag.String("bizdate").pipe(
  Flag.withMetavar("DATE"),
  Flag.withDescription("Business date, such as 2026-07-01; by default yesterday"),
  Flag.optional,
)

const scheduledAt = Flag.String("scheduled-at").pipe(
  Flag.withMetavar("TIME"),
  Flag.withDescription("Time for which the run is scheduled, such as 2026-07-02T03:00:00; by default now"),
  Flag.optional,
)

export const environmentFlag = Flag.Literals("environment", ["prod", "dev"]).pipe(
  Flag.withDescription("On a server: which of their two connections data sources use; by default prod"),
  Flag.optional,
)

export const detachFlag = Flag.Boolean("detach").pipe(
  Flag.withDescription("On a server: print the id of the run, and do not wait for its end"),
  Flag.withDefault(false),
  Flag.withoutNegation,
)

interface ForServers {
  readonly environment: Option.Option<"prod" | "dev">
  readonly detach?: boolean
}

/** Refuses what has no meaning on this machine. */
export const refuseForServers = Effect.fnUntraced(function* ({ environment, detach = false }: ForServers) {
  const option = detach ? "detach" : Option.isSome(environment) ? "environment" : undefined
  if (option !== undefined) return yield* usage(`Option --${option} is for servers`, "Name one with --server URL")
})

/** What every command that plans a flow takes. */
export const planFlags = { parameters, bizdate, scheduledAt, environment: environmentFlag }

export interface PlanFlags {
  readonly parameters: Readonly<Record<string, string>>
  readonly bizdate: Option.Option<string>
  readonly scheduledAt: Option.Option<string>
}

/** The flags as a plan takes them. */
export function planRequest({ parameters, bizdate, scheduledAt }: PlanFlags) {
  return {
    parameters,
    ...(Option.isSome(bizdate) ? { bizdate: bizdate.value } : {}),
    ...(Option.isSome(scheduledAt) ? { scheduledAt: scheduledAt.value } : {}),
  }
}

const parallel = Flag.Int("parallel").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("Splits that are read and written at the same time, instead of the flow's own setting"),
  Flag.filter(
    (value) => value >= 1 && value <= 256,
    (value) => `${value} is not between 1 and 256`,
  ),
  Flag.optional,
)

const errorLimit = Flag.Int("error-limit").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("Rejected rows after which the run fails, instead of the flow's own setting"),
  Flag.filter(
    (value) => value >= 0,
    (value) => `${value} is below 0`,
  ),
  Flag.optional,
)

/** Settings of a flow that can be given with the call. */
export const settingsFlags = { parallel, errorLimit }

/** The settings that a call gives. */
export function overridesOf(flags: {
  readonly parallel: Option.Option<number>
  readonly errorLimit: Option.Option<number>
}): RunOverrides {
  return {
    ...(Option.isSome(flags.parallel) ? { parallel: flags.parallel.value } : {}),
    ...(Option.isSome(flags.errorLimit) ? { errorLimit: flags.errorLimit.value } : {}),
  }
}

export const rejectedFlag = Flag.String("rejected").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("Also write the rejected rows to this file, as JSON lines"),
  Flag.optional,
)

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON for programs"),
  Flag.withDefault(false),
  Flag.withoutNegation,
)
