import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { builtInCatalogue } from "../../../runtime/server/catalogue.ts"
import { referencesLayer } from "../../../runtime/server/references.ts"
import { readSettings, Settings } from "../../../runtime/settings.ts"
import type { StorePlace } from "../../../runtime/store/testdata/store-databases.ts"
import { StoreDatabase } from "../../store/database.ts"
import type { Actor } from "../access/actor.ts"
import type { Role } from "../access/permission.ts"
import { AuditLog } from "../audit.ts"
import { Catalogue } from "../components/catalogue.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { KEY_BYTES, type MasterKey, MasterKeys, masterKeyOf } from "../sources/master-keys.ts"
import { Resealers } from "../sources/resealers.ts"
import { type Policy, SourcePolicy } from "../sources/source-policy.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { Vault } from "../sources/vault.ts"

export const aKey = () => masterKeyOf(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))

/** What the server knows of flows and data sources, on a store of its own. */
export class Place {
  readonly home = mkdtempSync(join(tmpdir(), "headrace-place-"))
  readonly environment: Readonly<Record<string, string>> = { DB_PORT: "6543", HEADRACE_MASTER_KEY: "key" }
  policy: Policy = {
    hosts: { allow: [], deny: ["169.254.0.0/16", "*.forbidden.example"] },
    files: { folders: [join(this.home, "files")], closed: this.home },
    references: false,
  }
  readonly keys: [MasterKey, ...MasterKey[]]
  readonly store: StorePlace

  constructor(store: StorePlace, key: MasterKey) {
    this.store = store
    this.keys = [key]
  }

  /** Runs on the store, by a clock that stands still unless the test moves it. */
  run<A, E>(work: Effect.Effect<A, E, PlaceServices>): Promise<A> {
    return Effect.runPromise(work.pipe(Effect.provide(this.layer()), Effect.scoped))
  }

  layer() {
    const settings = Layer.sync(Settings, () => ({
      ...readSettings({ ...this.environment, HEADRACE_HOME: this.home }, this.home, false),
    }))
    const keys = Layer.succeed(MasterKeys, { all: Effect.sync(() => this.keys) })
    const policy = Layer.succeed(SourcePolicy, { current: Effect.sync(() => this.policy) })
    const ground = Layer.mergeAll(
      this.store.layer,
      Layer.provide(Vault.layer, keys),
      policy,
      Layer.sync(Catalogue, builtInCatalogue),
      Layer.provide(referencesLayer, settings),
      Resealers.layer,
      TestClock.layer(),
    )
    return FlowLibrary.layer.pipe(
      Layer.provideMerge(SourceRegistry.layer),
      Layer.provideMerge(AuditLog.layer),
      Layer.provideMerge(ground),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.home, { recursive: true, force: true })
    await this.store[Symbol.asyncDispose]()
  }
}

export type PlaceServices =
  | StoreDatabase
  | AuditLog
  | Vault
  | SourcePolicy
  | Catalogue
  | Resealers
  | SourceRegistry
  | FlowLibrary

/** Somebody who is in the store. */
export const person = Effect.fnUntraced(function* (name: string, role: Role = "developer") {
  const database = yield* StoreDatabase
  const id = `id-of-${name}`
  yield* database.write(async ({ insert, tables: { users } }) => {
    await insert(users).values({
      ...{ id, name, displayName: name, passwordHash: "x", role, disabled: false },
      ...{ version: 1, createdAt: 0, updatedAt: 0 },
    })
  })
  return { kind: "user", id, name, account: id, role } satisfies Actor
})

/** The actions of the audit log, oldest first. */
export const audited = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const rows = yield* database.read(({ select, tables: { auditLog } }) => select().from(auditLog))
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))
})

/** Everything that stands in the store, as one text. */
export const everything = Effect.gen(function* () {
  const database = yield* StoreDatabase
  return yield* database.read(async ({ select, tables }) =>
    JSON.stringify(await Promise.all(Object.values(tables).map((table) => select().from(table)))),
  )
})
