import { resolve } from "node:path"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { serveOptions } from "../server/serve-options.ts"
import { Settings } from "../settings.ts"
import { Secrets } from "../sources/secrets.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { notThere } from "./server-flag.ts"

const fileArgument = Argument.String("FILE")

const storeFlag = Flag.String("store").pipe(
  Flag.withMetavar("PLACE"),
  Flag.withDescription("An SQLite file, or postgres://…; by default HEADRACE_STORE, or state.db in Headrace's folder"),
  Flag.optional,
)

export const backupCommand = Command.make(
  "backup",
  {
    file: fileArgument.pipe(Argument.withDescription("File that is written")),
    store: storeFlag,
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Write over a file that is there"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
  },
  Effect.fnUntraced(function* ({ file, store, force }) {
    yield* notThere("headrace backup")
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const place = yield* placeOf(store)
    const { backUp } = yield* Effect.promise(() => import("../store/backup-restore.ts"))
    const to = resolve(cwd, file)
    yield* Effect.catchTag(backUp(place, to, { overwrite: force }), "StoreError", ({ message, hint }) =>
      Effect.fail(usage(message, hint)),
    )
    screen.say(
      `backed up to ${file}; keep the master key as well, and elsewhere: secrets in the backup are sealed with it`,
    )
  }),
).pipe(
  Command.withDescription(
    `Write everything that Headrace remembers into one file, while servers and runs go on.

  It is an SQLite file, whichever database the store is in, and can be restored into either. Secrets of data sources are
  sealed in it: without the master key, which is never in the store, they are lost.`,
  ),
  Command.withShortDescription("Write the store into one file"),
)

export const restoreCommand = Command.make(
  "restore",
  {
    file: fileArgument.pipe(Argument.withDescription("Backup that is read")),
    store: storeFlag,
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Replace what the store holds"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
  },
  Effect.fnUntraced(function* ({ file, store, yes }) {
    yield* notThere("headrace restore")
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const place = yield* placeOf(store)
    if (!yes) return yield* usage("restore replaces everything that the store holds", "Say --yes to do it")
    const { restore } = yield* Effect.promise(() => import("../store/backup-restore.ts"))
    const aside = yield* Effect.catchTag(restore(place, resolve(cwd, file)), "StoreError", ({ message, hint }) =>
      Effect.fail(usage(message, hint)),
    )
    screen.say(`restored ${file}${aside === undefined ? "" : `; what was there is in ${aside}`}`)
  }),
).pipe(
  Command.withDescription(
    "Put a backup in the place of everything that Headrace remembers. No server and no run may use the store meanwhile.",
  ),
  Command.withShortDescription("Put a backup in the place of the store"),
)

const placeOf = Effect.fnUntraced(function* (store: Option.Option<string>) {
  const settings = yield* Settings
  const flags = Option.match(store, { onNone: () => ({}), onSome: (given) => ({ store: given }) })
  const { store: place } = yield* Effect.try({
    try: () => serveOptions(flags, settings, false),
    catch: (error) => usage((error as Error).message), // it says what is wrong
  })
  const { add } = yield* Secrets
  const password = URL.parse(place)?.password ?? ""
  if (password !== "") for (const secret of [password, decodeURIComponent(password)]) add(secret)
  return place
})
