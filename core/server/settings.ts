import { eq } from "drizzle-orm"
import { Clock, Context, Effect, Layer, Result, Schema } from "effect"
import { StoreDatabase } from "../store/database.ts"
import type { StoreError } from "../store/store-error.ts"
import type { Actor } from "./access/actor.ts"
import { type AuditEntry, AuditLog } from "./audit.ts"
import {
  defaultSettings,
  type SettingChanges,
  type SettingKey,
  type Settings,
  settingFields,
} from "./setting-fields.ts"

export type { SettingChanges, SettingKey, Settings } from "./setting-fields.ts"

/**
 * What administrators have set. Reading is cheap: values are kept in memory and looked up again every few seconds, so
 * that servers which share a store follow each other. Where the store does not answer, the last known ones hold.
 */
export class ServerSettings extends Context.Service<
  ServerSettings,
  {
    get<K extends SettingKey>(key: K): Effect.Effect<Settings[K]>
    readonly all: Effect.Effect<Settings>
    /** Changes some; `null` goes back to the default. All of them or none. */
    change(actor: Actor, changes: SettingChanges): Effect.Effect<Settings, StoreError>
  }
>()("core/server/ServerSettings") {
  static readonly layer = Layer.effect(
    ServerSettings,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const audit = yield* AuditLog
      let known = defaultSettings
      let readAt = Number.NEGATIVE_INFINITY

      const read = Effect.gen(function* () {
        const rows = yield* database.read(({ select, tables: { settings } }) => select().from(settings))
        const now = yield* Clock.currentTimeMillis
        known = { ...defaultSettings, ...Object.fromEntries(rows.flatMap(({ key, value }) => valid(key, value))) }
        readAt = now
        return known
      })

      const all = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now >= readAt && now - readAt < FRESH_MS) return known
        return yield* Effect.catch(read, (error) =>
          Effect.as(Effect.logWarning("Cannot read the settings, the last known ones hold", error.message), known),
        )
      })

      return ServerSettings.of({
        all,
        get: (key) => Effect.map(all, (settings) => settings[key]),
        change: Effect.fnUntraced(function* (actor, changes) {
          const before = yield* read
          const at = yield* Clock.currentTimeMillis
          yield* database.write(async ({ insert, delete: remove, tables: { settings } }) => {
            for (const [key, value] of Object.entries(changes)) {
              if (value === undefined) continue
              if (value === null) await remove(settings).where(eq(settings.key, key))
              else
                await insert(settings)
                  .values({ key, value, updatedAt: at })
                  .onConflictDoUpdate({ target: settings.key, set: { value, updatedAt: at } })
            }
          })
          const after = yield* read
          yield* audit.record(actor, changedEntry(changes, before, after))
          return after
        }),
      })
    }),
  )

  /** Settings that stand still, for tests. */
  static layerTest(settings: Partial<Settings> = {}): Layer.Layer<ServerSettings> {
    const all = { ...defaultSettings, ...settings }
    return Layer.succeed(ServerSettings, {
      all: Effect.succeed(all),
      get: (key) => Effect.succeed(all[key]),
      change: () => Effect.succeed(all),
    })
  }
}

/** A value that another version has written, and that this one does not understand, counts as not set. */
function valid(key: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (!Object.hasOwn(settingFields, key)) return []
  const { schema } = settingFields[key as SettingKey] // it is one of them
  return Result.isSuccess(Schema.decodeUnknownResult(schema as Schema.Codec<unknown>)(value)) ? [[key, value]] : []
}

function changedEntry(changes: SettingChanges, before: Settings, after: Settings): AuditEntry {
  const keys = Object.keys(changes) as SettingKey[] // what may be changed
  return {
    action: "settings.changed",
    subject: { kind: "settings", id: "settings", name: "Settings" },
    detail: Object.fromEntries(keys.map((key) => [key, { from: before[key], to: after[key] }])),
  }
}

const FRESH_MS = 5000
