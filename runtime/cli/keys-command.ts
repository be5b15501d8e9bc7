import { existsSync } from "node:fs"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { system } from "../../core/server/access/actor.ts"
import { AuditLog } from "../../core/server/audit.ts"
import { MasterKeys } from "../../core/server/sources/master-keys.ts"
import { Resealers } from "../../core/server/sources/resealers.ts"
import { addKey, makeKeyFile } from "../server/master-key-file.ts"
import { type KeyPlace, keyPlace, masterKeysLayer } from "../server/master-keys.ts"
import { serveOptions } from "../server/serve-options.ts"
import { Settings } from "../settings.ts"
import { Secrets } from "../sources/secrets.ts"
import { jsonFlag } from "./flow-flags.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { notThere } from "./server-flag.ts"

const showCommand = Command.make(
  "show",
  { json: jsonFlag },
  Effect.fnUntraced(function* ({ json }) {
    yield* notThere("headrace keys")
    const screen = yield* Screen
    const place = yield* foundPlace
    const ids = yield* idsOf
    if (json) return screen.out(JSON.stringify({ from: titleOf(place), keys: ids }, null, 2))
    screen.out(`from ${titleOf(place)}`)
    for (const [i, id] of ids.entries()) screen.out(i === 0 ? `${id}  seals` : `${id}  opens what was sealed before`)
  }),
).pipe(
  Command.withDescription("List the master keys by their ids, newest first. The keys themselves are never shown."),
  Command.withShortDescription("List the master keys by their ids"),
)

const rotateCommand = Command.make(
  "rotate",
  {},
  Effect.fnUntraced(function* () {
    yield* notThere("headrace keys")
    const screen = yield* Screen
    const settings = yield* Settings
    const { store } = yield* Effect.try({
      try: () => serveOptions({}, settings, false),
      catch: (error) => usage((error as Error).message), // it says what is wrong
    })
    const { add } = yield* Secrets
    const password = URL.parse(store)?.password ?? ""
    if (password !== "") for (const secret of [password, decodeURIComponent(password)]) add(secret)
    const place = yield* foundPlace
    yield* addNewKey(place)
    // Loaded only where it is needed.
    const { resealingLayer } = yield* Effect.promise(() => import("../server/resealing.ts"))
    const { id, done } = yield* reseal.pipe(
      Effect.provide(resealingLayer(store, settings)),
      Effect.catchTag(["StoreError", "RequestError"], ({ message, hint }) => Effect.fail(usage(message, hint))),
    )
    for (const { what, count } of done)
      screen.out(`sealed ${count} ${count === 1 ? "secret" : "secrets"} of ${what} anew`)
    screen.out(`key ${id} seals from now on; keep the older ones for as long as you keep backups of the store`)
  }),
).pipe(
  Command.withDescription(
    `Make a new master key and seal every secret of the store under it: of data sources, triggers and webhooks.

  A server that runs takes the new key by itself. Where the keys come from HEADRACE_MASTER_KEY, put the new one first there;
  this command then seals anew.`,
  ),
  Command.withShortDescription("Make a new master key and seal every secret anew"),
)

export const keysCommand = Command.make("keys").pipe(
  Command.withDescription("Look after the master keys that seal the secrets in the server's store."),
  Command.withShortDescription("Look after the master keys"),
  Command.withSubcommands([rotateCommand, showCommand]),
)

const foundPlace = Effect.gen(function* () {
  const place = keyPlace(yield* Settings)
  return place instanceof Error ? yield* place : place
})

const idsOf = Effect.gen(function* () {
  const keys = yield* (yield* MasterKeys).all
  return keys.map(({ id }) => id)
}).pipe(Effect.provide(masterKeysLayer))

const addNewKey = Effect.fnUntraced(function* (place: KeyPlace) {
  // Whatever is wrong with the keys that are there is told before one is added.
  const ids = yield* idsOf
  if (place.kind === "environment") {
    if (ids.length > 1) return
    const hint = "Put a new one before it, such as `openssl rand -base64 32` prints, and restart the server"
    return yield* usage("HEADRACE_MASTER_KEY has one key, and a program cannot change its environment", hint)
  }
  yield* Effect.try({
    try: () => (existsSync(place.path) ? addKey(place.path) : makeKeyFile(place.path)),
    catch: (error) => {
      const { code = "unknown error" } = error as { code?: string } // of the file system
      return usage(`Cannot write the master key "${place.path}": ${code}`)
    },
  })
})

const reseal = Effect.gen(function* () {
  const [{ id }] = yield* (yield* MasterKeys).all
  const done = yield* (yield* Resealers).all
  const detail = Object.fromEntries(done.map(({ what, count }) => [what, count]))
  const actor = { ...system, name: "headrace keys rotate" }
  const subject = { kind: "master key", id, name: id }
  yield* (yield* AuditLog).record(actor, { action: "keys.rotated", subject, detail })
  return { id, done }
})

function titleOf(place: KeyPlace): string {
  return place.kind === "environment" ? "HEADRACE_MASTER_KEY" : place.path
}
