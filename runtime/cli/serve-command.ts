import process from "node:process"
import { Effect, Exit, Layer, Logger, ManagedRuntime, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { SignIn } from "../../core/server/access/sign-in.ts"
import { goBefore } from "../server/priority.ts"
import { serve } from "../server/serve.ts"
import { type ServeOptions, serveOptions } from "../server/serve-options.ts"
import { serverLayer } from "../server/server-layer.ts"
import { makeServerLogger } from "../server/server-log.ts"
import { telemetryLayer } from "../server/telemetry.ts"
import { Settings } from "../settings.ts"
import { Secrets } from "../sources/secrets.ts"
import { StoreClaim } from "../store/store-claim.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { notThere } from "./server-flag.ts"
import { Signals } from "./signals.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

export const serveCommand = Command.make(
  "serve",
  {
    host: text("host", "ADDRESS", "Address to listen at (else HEADRACE_HOST, 127.0.0.1)"),
    port: Flag.Int("port").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Port to listen at; 0 takes a free one (else HEADRACE_PORT, 8484)"),
      Flag.optional,
    ),
    store: text("store", "PLACE", "SQLite file or postgres://… (else HEADRACE_STORE, state.db in HEADRACE_HOME)"),
    publicUrl: text("public-url", "URL", "Where people reach the server, for links (else HEADRACE_PUBLIC_URL)"),
  },
  Effect.fnUntraced(function* (flags) {
    yield* notThere("headrace serve")
    const settings = yield* Settings
    const { stop } = yield* Signals
    const screen = yield* Screen
    const given = {
      ...Option.match(flags.host, { onNone: () => ({}), onSome: (hostname) => ({ hostname }) }),
      ...Option.match(flags.port, { onNone: () => ({}), onSome: (port) => ({ port }) }),
      ...Option.match(flags.store, { onNone: () => ({}), onSome: (store) => ({ store }) }),
      ...Option.match(flags.publicUrl, { onNone: () => ({}), onSome: (publicUrl) => ({ publicUrl }) }),
    }
    const options = yield* Effect.try({
      try: () => serveOptions(given, settings, process.stderr.isTTY === true),
      catch: (error) => usage((error as Error).message), // it says what is wrong
    })
    goBefore()
    const runtime = yield* started(options)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* Effect.catchTag(serve(options, runtime), "RequestError", ({ message, hint }) =>
          Effect.fail(usage(message, hint)),
        )
        const shown = options.publicUrl ?? url
        screen.out(`Headrace is ready: ${shown}`)
        const first = yield* Effect.promise(() => runtime.runPromise(SignIn.use(({ inviteFirst }) => inviteFirst)))
        if (first !== undefined)
          screen.out(`Make the first administrator, within an hour: ${shown}/setup#${first.secret}`)
        const taken = Effect.promise(() => runtime.runPromise(StoreClaim.use(({ lost }) => lost)))
        const why = yield* Effect.raceFirst(Effect.as(stop, "told"), Effect.as(taken, "taken"))
        if (why === "taken") return yield* usage("Another server has taken the store over: this one has slept too long")
        screen.say("stopping: no new requests; runs are finished or handed over")
      }),
    )
  }, Effect.scoped),
).pipe(
  Command.withDescription("Start the server: API, pages, scheduler. It runs flows in processes of its own."),
  Command.withShortDescription("Start the server"),
  Command.withExamples([
    { command: "headrace serve", description: "On this machine only, with a store in ~/.headrace" },
    { command: "headrace serve --host 0.0.0.0 --store postgres://me@db/headrace", description: "For others too" },
  ]),
)

/** The server's services, which end with the scope: after it has stopped to listen. */
const started = Effect.fnUntraced(function* (options: ServeOptions) {
  const settings = yield* Settings
  const secrets = yield* Secrets
  for (const secret of secretsOf(options)) secrets.add(secret)
  const logger = makeServerLogger({ out: process.stderr, mask: secrets.mask, format: options.logFormat })
  const layer = serverLayer(options, settings).pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.succeed(Settings, settings), Layer.succeed(Secrets, secrets))),
    Layer.provideMerge(telemetryLayer({ ...options, mask: secrets.mask })),
    Layer.provideMerge(Logger.layer([logger])),
  )
  const runtime = yield* Effect.acquireRelease(
    Effect.sync(() => ManagedRuntime.make(layer)),
    (made) => made.disposeEffect,
  )
  const exit = yield* Effect.promise(() => runtime.runPromiseExit(Effect.void))
  if (Exit.isSuccess(exit)) return runtime
  return yield* Effect.catchTag(Effect.failCause(exit.cause), "StoreError", ({ message, hint }) =>
    Effect.fail(usage(message, hint)),
  )
})

function secretsOf({ store, metricsToken }: ServeOptions): readonly string[] {
  const password = URL.parse(store)?.password ?? ""
  return [password, decodeURIComponent(password), metricsToken ?? ""].filter((secret) => secret !== "")
}
