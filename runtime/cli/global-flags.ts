import { Effect, Option } from "effect"
import { Flag, GlobalFlag } from "effect/cli"
import { type HostOptions, hostLayer } from "./host.ts"
import { ServerFlag } from "./server-flag.ts"

export const Sources = GlobalFlag.Setting("sources")({
  flag: Flag.String("sources").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "File with the data sources (else HEADRACE_SOURCES, headrace.sources.json, ~/.headrace/sources.json)",
    ),
    Flag.optional,
  ),
})

export const PluginFolders = GlobalFlag.Setting("plugins")({
  flag: Flag.String("plugins").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Another folder of plugins, besides ~/.headrace/plugins; may be repeated"),
    Flag.atLeast(0),
  ),
})

export const Unconfined = GlobalFlag.Setting("unconfined")({
  flag: Flag.String("unconfined").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("Run the code of this plugin with all your rights; may be repeated"),
    Flag.atLeast(0),
  ),
})

export const Verbose = GlobalFlag.Setting("verbose")({
  flag: Flag.Boolean("verbose").pipe(
    Flag.withDescription("Say more: log lines, stack traces"),
    Flag.withDefault(false),
    Flag.withoutNegation,
  ),
})

export const globalFlags = [ServerFlag, Sources, PluginFolders, Unconfined, Verbose] as const

/** Gives an effect what flows need, as the global flags say. */
export function withHost(base: string) {
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const options: HostOptions = {
        base,
        sources: Option.getOrUndefined(yield* Sources),
        plugins: yield* PluginFolders,
        unconfined: yield* Unconfined,
      }
      return yield* Effect.provide(effect, hostLayer(options))
    })
}
