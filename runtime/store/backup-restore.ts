import { existsSync } from "node:fs"
import { Effect } from "effect"
import { StoreError } from "../../core/store/store-error.ts"
import { isPostgres } from "../server/serve-options.ts"
import { backUpFile, backUpPostgres } from "./backup.ts"
import { postgresLink } from "./postgres-database.ts"
import { restoreFile, restorePostgres } from "./restore.ts"
import { storeCall } from "./store-call.ts"
import { storeErrorOf } from "./store-failure.ts"

/** Writes the store at `place`, a file or a URL, into a file. */
export const backUp = Effect.fnUntraced(function* (place: string, to: string, { overwrite = false } = {}) {
  if (!overwrite && existsSync(to))
    return yield* new StoreError({
      reason: "exists",
      message: `Cannot back up to "${to}": the file exists`,
      hint: "Name another file, or say --force to write over it",
    })
  if (isPostgres(place)) return yield* postgresLink({ url: place }, "back up", (link) => backUpPostgres(link, to))
  return yield* storeCall<void, StoreError>(
    async () => backUpFile(place, to),
    (error) => storeErrorOf("back up the store", place, error),
  )
})

/** Puts a backup in the place of the store; resolves to the file in which what was there is kept, if there is one. */
export const restore = Effect.fnUntraced(function* (place: string, from: string) {
  if (isPostgres(place))
    return yield* postgresLink({ url: place }, "restore", async (link, name) => {
      await restorePostgres(from, link, name)
      return undefined
    })
  return yield* storeCall<string | undefined, StoreError>(
    async () => restoreFile(from, place),
    (error) => storeErrorOf("restore the store", place, error),
  )
})
