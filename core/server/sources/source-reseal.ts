import { and, eq } from "drizzle-orm"
import { Effect } from "effect"
import { StoreDatabase } from "../../store/database.ts"
import { isObject, type Options } from "./secret-options.ts"
import type { SourceRow } from "./source-access.ts"
import { secretPlace } from "./source-settings.ts"
import { Vault } from "./vault.ts"

/** Seals every secret anew that is under an older key; tells how many there were. What people edit meanwhile stays theirs. */
export const resealSources = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const rows = yield* database.read(({ select, tables: { dataSources } }) => select().from(dataSources))
  let count = 0
  for (const row of rows) count += yield* resealSource(row)
  return count
})

const resealSource = Effect.fnUntraced(function* (first: SourceRow) {
  const database = yield* StoreDatabase
  for (let row: SourceRow | undefined = first; row !== undefined; ) {
    const { id, version } = row
    const { settings, count } = yield* resealed(row)
    if (count === 0) return 0
    const next: SourceRow | undefined = yield* database.write(
      async ({ select, update, tables: { dataSources } }): Promise<SourceRow | undefined> => {
        const written = await update(dataSources)
          .set({ settings })
          .where(and(eq(dataSources.id, id), eq(dataSources.version, version)))
          .returning({ id: dataSources.id })
        if (written.length > 0) return undefined
        const [present] = await select().from(dataSources).where(eq(dataSources.id, id))
        return present
      },
    )
    if (next === undefined) return count
    row = next
  }
  return 0
})

/** Wherever sealed text stands, even under options that no schema marks any more. */
const resealed = Effect.fnUntraced(function* ({ id, settings }: SourceRow) {
  const vault = yield* Vault
  let count = 0
  const renew = Effect.fnUntraced(function* (options: Options, environment: "prod" | "dev") {
    const found = [...sealedIn(options, "", vault)].filter(([, text]) => vault.isOld(text))
    const fresh = new Map<string, string>()
    for (const [pointer, text] of found) {
      const place = secretPlace({ id, environment }, pointer)
      fresh.set(text, yield* vault.seal(yield* vault.open(text, place), place))
    }
    count += found.length
    return replaced(options, fresh) as Options // an object stays one
  })
  const prod = yield* renew(settings.prod, "prod")
  const dev = settings.dev === undefined ? {} : { dev: yield* renew(settings.dev, "dev") }
  return { settings: { prod, ...dev }, count }
})

function* sealedIn(value: unknown, pointer: string, vault: Vault["Service"]): Generator<readonly [string, string]> {
  if (typeof value === "string" && vault.isSealed(value)) yield [pointer, value]
  if (!Array.isArray(value) && !isObject(value)) return
  for (const [key, item] of Object.entries(value))
    yield* sealedIn(item, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, vault)
}

function replaced(value: unknown, fresh: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return fresh.get(value) ?? value
  if (Array.isArray(value)) return value.map((item) => replaced(item, fresh))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, fresh)]))
}
