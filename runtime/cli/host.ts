import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { Context, Effect, Layer } from "effect"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import { DataSources, InstalledComponents, Machine } from "../../core/host/services.ts"
import { plugins } from "../../plugins/registry.gen.ts"
import { install } from "../discovery/installed.ts"
import { makeFiles } from "../files/files.ts"
import { Settings } from "../settings.ts"
import { makeDataSources } from "../sources/data-sources.ts"
import { Secrets } from "../sources/secrets.ts"
import { candidates, readSourcesFile } from "../sources/sources-file.ts"
import { explain, type HostServices, Plugins } from "../worker/host.ts"
import { Screen } from "./screen.ts"

export interface HostOptions {
  /** Folder that relative paths in a flow start from. */
  readonly base: string
  readonly sources: string | undefined
  readonly plugins: readonly string[]
  readonly unconfined: readonly string[]
}

/** Everything that flows need of the process: plugins, data sources, files, a log. */
export function hostLayer(options: HostOptions): Layer.Layer<HostServices, FlowError, Screen | Secrets | Settings> {
  return Layer.effectContext(
    Effect.gen(function* () {
      const { home, cwd, environment } = yield* Settings
      const { log } = yield* Screen
      const secrets = yield* Secrets
      const warn = (message: string) => log.warn(message)
      const named = options.plugins.map((folder) => resolve(cwd, folder))
      const missing = named.find((folder) => !existsSync(folder))
      if (missing !== undefined)
        return yield* flowError([{ message: `Cannot look for plugins in "${missing}": there is no such folder` }])
      const folders = [join(home, "plugins"), ...named]
      const installed = yield* install({ builtIn: plugins, folders, unconfined: options.unconfined, warn })
      const { components } = installed
      const given = options.sources ?? nonEmpty(environment.HEADRACE_SOURCES)
      const place = { given, home, cwd }
      const file = readSourcesFile(place)
      if (file !== undefined && "problem" in file) return yield* flowError([file.problem])
      const lookedFor = candidates(place)
      const { base } = options
      return Context.make(Plugins, installed).pipe(
        Context.add(InstalledComponents, components),
        Context.add(Machine, { files: makeFiles({ base }), log }),
        Context.add(
          DataSources,
          makeDataSources({
            file,
            lookedFor,
            components,
            secrets,
            environment,
            base,
            warn,
            refused: explain(installed),
          }),
        ),
      )
    }),
  )
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text
}
