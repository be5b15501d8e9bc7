import { describe, expect, test } from "bun:test"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { sqliteDatabaseLayer } from "../../runtime/store/sqlite-database.ts"
import { StoreDatabase } from "../store/database.ts"
import { system } from "./access/actor.ts"
import { AuditLog } from "./audit.ts"
import { defaultSettings, settingChangesShape, settingKeys, settingsShape } from "./setting-fields.ts"
import { ServerSettings } from "./settings.ts"

function withStore<A, E>(work: Effect.Effect<A, E, ServerSettings | StoreDatabase>): Promise<A> {
  const database = sqliteDatabaseLayer(join(mkdtempSync(join(tmpdir(), "headrace-")), "store.db"))
  const layer = ServerSettings.layer.pipe(Layer.provide(AuditLog.layer), Layer.provideMerge(database))
  return Effect.runPromise(Effect.provide(work, Layer.merge(layer, TestClock.layer())))
}

test("settings hold their defaults until they are changed, and again after", async () => {
  await withStore(
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      expect(yield* settings.all).toEqual(defaultSettings)
      yield* settings.change(system, { "queue.mostQueued": 7, "server.hosts": ["a.example"] })
      expect(yield* settings.get("queue.mostQueued")).toBe(7)
      yield* settings.change(system, { "queue.mostQueued": null })
      expect(yield* settings.all).toEqual({ ...defaultSettings, "server.hosts": ["a.example"] })
      const database = yield* StoreDatabase
      const lines = yield* database.read(({ select, tables }) => select().from(tables.auditLog))
      expect(lines.map(({ action, detail }) => [action, detail])).toEqual([
        [
          "settings.changed",
          { "queue.mostQueued": { from: 10_000, to: 7 }, "server.hosts": { from: [], to: ["a.example"] } },
        ],
        ["settings.changed", { "queue.mostQueued": { from: 7, to: 10_000 } }],
      ])
    }),
  )
})

test("settings follow what another server has set, and pass over what they do not understand", async () => {
  await withStore(
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const database = yield* StoreDatabase
      expect(yield* settings.get("sessions.idleHours")).toBe(12)
      yield* database.write(async ({ insert, tables }) => {
        await insert(tables.settings).values([
          { key: "sessions.idleHours", value: 3, updatedAt: 0 },
          { key: "queue.mostQueued", value: "many", updatedAt: 0 },
          { key: "of.tomorrow", value: 1, updatedAt: 0 },
          { key: "__proto__", value: { evil: true }, updatedAt: 0 },
        ])
      })
      expect(yield* settings.get("sessions.idleHours")).toBe(12)
      yield* TestClock.adjust("5 seconds")
      expect(yield* settings.all).toEqual({ ...defaultSettings, "sessions.idleHours": 3 })
    }),
  )
})

describe("a setting is refused:", () => {
  test.each([
    ["queue.mostQueued", 0],
    ["queue.mostQueued", 1.5],
    ["queue.mostQueued", "7"],
    ["server.publicUrl", "javascript:alert(1)"],
    ["server.publicUrl", "https://a.example/path"],
    ["server.hosts", ["a.example:80"]],
    ["server.hosts", ["a\r\nb"]],
    ["server.trustedProxies", ["a.example"]],
    ["sources.deny", ["10.0.0.0/33"]],
    ["retention.auditDays", 1],
    ["of.tomorrow", 1],
  ])("%s of %j", (key, value) => {
    const decode = Schema.decodeUnknownResult(settingChangesShape, { onExcessProperty: "error" })
    expect(Result.isFailure(decode({ [key]: value }))).toBe(true)
  })
})

test("every setting has a default that its schema takes, and a sentence", () => {
  expect(Schema.decodeUnknownSync(settingsShape)(defaultSettings)).toEqual(defaultSettings)
  expect(settingKeys.length).toBeGreaterThan(15)
})
