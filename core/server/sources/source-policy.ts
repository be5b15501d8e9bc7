import { Context, Effect, Layer } from "effect"
import type { FlowProblem } from "../../flow/problem.ts"
import { ServerSettings } from "../settings.ts"
import { type FolderPolicy, openPath } from "./folders.ts"
import { type HostPolicy, hostRefusal } from "./host-policy.ts"
import { isObject, type Options } from "./secret-options.ts"

/** What the administrator lets people reach from this server. */
export interface Policy {
  readonly hosts: HostPolicy
  readonly files: FolderPolicy
  /** Whether everybody may refer to the environment and the files of the server; administrators always may. */
  readonly references: boolean
}

export class SourcePolicy extends Context.Service<SourcePolicy, { readonly current: Effect.Effect<Policy> }>()(
  "core/server/sources/SourcePolicy",
) {
  /** As the settings say; `home` is the folder of Headrace, in which `files` is always open. */
  static layer(home: string): Layer.Layer<SourcePolicy, never, ServerSettings> {
    return Layer.effect(
      SourcePolicy,
      Effect.gen(function* () {
        const settings = yield* ServerSettings
        const current = Effect.map(
          settings.all,
          (all): Policy => ({
            hosts: { allow: all["sources.allow"], deny: all["sources.deny"] },
            files: { folders: [`${home}/files`, ...all["sources.folders"]], closed: home },
            references: all["sources.references"],
          }),
        )
        return { current }
      }),
    )
  }

  /** A policy that stands still, for tests. */
  static layerTest({ hosts, files, references }: Partial<Policy> = {}): Layer.Layer<SourcePolicy> {
    return Layer.succeed(SourcePolicy, {
      current: Effect.succeed({
        hosts: hosts ?? { allow: [], deny: [] },
        files: files ?? { folders: ["/srv/files"], closed: "/srv" },
        references: references ?? false,
      }),
    })
  }
}

export type Placed = { readonly settings: Options } | { readonly problems: readonly FlowProblem[] }

/**
 * Settings of a data source with absolute paths, or why the policy forbids where they lead. It goes by the names that
 * all plugins share: `host`, `port`, `path`, `socketPath`, and addresses in `url` or `endpoint`.
 */
export function placeSettings(policy: Policy, settings: Options): Placed {
  const problems: FlowProblem[] = []
  const port = typeof settings.port === "number" ? { port: settings.port } : {}
  const refuse = (option: string, message: string | undefined, hint: string) => {
    if (message !== undefined) problems.push({ pointer: `/${option}`, message, hint })
  }
  for (const [option, places] of Object.entries(hostsIn(settings))) {
    for (const place of places) {
      const message = typeof place === "string" ? place : hostRefusal(policy.hosts, { ...port, ...place })
      refuse(option, message, "Ask an administrator, who sets where data sources may be")
    }
  }
  const result = new Map(Object.entries(settings))
  const { path } = settings
  if (typeof path === "string") {
    const open = /^(?:file:|:)/i.test(path) ? undefined : openPath(policy.files, path)
    if (open === undefined) {
      const { folders } = policy.files
      const hint =
        folders.length === 0 ? "An administrator can open a folder" : `Files may lie in ${folders.join(", ")}`
      refuse("path", `"${path}" lies outside of the folders that are open to data sources`, hint)
    } else result.set("path", open)
  }
  return problems.length > 0 ? { problems } : { settings: Object.fromEntries(result) }
}

type Place = { readonly host: string; readonly port?: number } | string

/** The places that settings name, or why one is none, by option. */
function hostsIn(settings: Options): Readonly<Record<string, readonly Place[]>> {
  const { host, hosts, socketPath, url, endpoint } = settings
  const names = (value: unknown) => (Array.isArray(value) ? value : [value]).filter((one) => typeof one === "string")
  return {
    host: names(host).map((name) => ({ host: name })),
    hosts: names(hosts).map((name) => ({ host: name })),
    socketPath: names(socketPath).map(() => ({ host: "localhost" })),
    url: names(url).map(addressed),
    endpoint: names(endpoint).map(addressed),
  }
}

function addressed(text: string): Place {
  const url = URL.parse(text)
  if (url === null || url.hostname === "") return "It is no address: write it as https://host:port/path"
  const { hostname, port, protocol } = url
  const usual = { "http:": 80, "https:": 443, "ftp:": 21, "ws:": 80, "wss:": 443 }[protocol]
  const number = port === "" ? usual : Number(port)
  return { host: hostname.replace(/^\[|\]$/g, ""), ...(number === undefined ? {} : { port: number }) }
}

/** What tells one place from another: every option that is no secret, but for numbers such as timeouts. */
export function addressOf(settings: Options): string {
  return JSON.stringify(strip(settings))
}

function strip(value: unknown, name = ""): unknown {
  if (typeof value === "number" && !/port$/i.test(name)) return undefined
  if (Array.isArray(value)) return value.map((item) => (typeof item === "number" ? item : strip(item)))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, item]) => [key, strip(item, key)] as const)
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
}
