import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Layer } from "effect"
import type { StoreDatabase } from "../../../core/store/database.ts"
import type { StoreError } from "../../../core/store/store-error.ts"
import { postgres } from "../../../scripts/services/services.ts"
import { postgresDatabaseLayer } from "../postgres-database.ts"
import { sqliteDatabaseLayer } from "../sqlite-database.ts"

/** A place for a store of its own; layers of it share what is in it. */
export interface StorePlace extends AsyncDisposable {
  readonly layer: Layer.Layer<StoreDatabase, StoreError>
}

/** One for each dialect: what is said of the store is said of both. */
export const storePlaces: readonly (readonly [dialect: "sqlite" | "postgres", make: () => Promise<StorePlace>])[] = [
  ["sqlite", sqlitePlace],
  ["postgres", postgresPlace],
]

export async function sqlitePlace(): Promise<StorePlace> {
  const folder = mkdtempSync(join(tmpdir(), "headrace-store-"))
  return {
    layer: sqliteDatabaseLayer(join(folder, "home", "state.db")),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function postgresPlace(): Promise<StorePlace> {
  const server = await postgres()
  const url = server.urlOf(await server.createDatabase("store"))
  return { layer: postgresDatabaseLayer({ url }), [Symbol.asyncDispose]: async () => {} }
}
