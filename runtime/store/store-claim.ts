import { eq, lt } from "drizzle-orm"
import { Clock, Context, Deferred, Effect, Ref, Schedule } from "effect"
import { makeId } from "../../core/server/id.ts"
import { StoreDatabase } from "../../core/store/database.ts"
import { StoreError } from "../../core/store/store-error.ts"
import type { Tables } from "../../core/store/tables.ts"
import { lifeOf, thisProcess } from "./process-owner.ts"

/** This server, as others that share the store see it. */
export class StoreClaim extends Context.Service<
  StoreClaim,
  {
    readonly id: string
    /** Resolves when another server has taken the store over, because this one was asleep for too long: it must end. */
    readonly lost: Effect.Effect<void>
    /** Why its last sign of life could not be written, such as a full disk; nothing where it could. */
    readonly fault: Effect.Effect<StoreError | undefined>
  }
>()("runtime/store/StoreClaim") {}

/**
 * Writes this server into the store, for as long as the scope lasts, and says that it lives every few seconds. An SQLite
 * file has one server: a second one is refused and told who holds it. One whose process has died holds nothing; neither
 * does one of another machine that has said nothing for a while. The command line needs no claim.
 */
export const claimStore = Effect.gen(function* () {
  const { dialect, write } = yield* StoreDatabase
  const owner = thisProcess()
  const startedAt = yield* Clock.currentTimeMillis
  const id = makeId(startedAt)
  const row = { id, host: owner.host, pid: owner.pid, process: owner.start ?? null, startedAt, seenAt: startedAt }

  const claim = write(async ({ select, insert, delete: remove, tables: { servers } }) => {
    for (const other of await select().from(servers)) {
      if (isGone(other, startedAt)) await remove(servers).where(eq(servers.id, other.id))
      else if (dialect === "sqlite") return heldBy(other)
    }
    await insert(servers).values(row)
    return undefined
  })
  const release = Effect.ignore(
    write(async ({ delete: remove, tables: { servers } }) => void (await remove(servers).where(eq(servers.id, id)))),
  )
  yield* Effect.acquireRelease(claim, () => release)

  const lost = yield* Deferred.make<void>()
  const beat = Effect.gen(function* () {
    const seenAt = yield* Clock.currentTimeMillis
    const found = yield* write(
      async ({ update, insert, delete: remove, tables: { servers } }) => {
        // Servers of other machines cannot be looked at; whoever has said nothing for long is gone.
        if (dialect === "postgres") await remove(servers).where(lt(servers.seenAt, seenAt - FORGOTTEN_MS))
        const known = await update(servers).set({ seenAt }).where(eq(servers.id, id)).returning({ id: servers.id })
        if (known.length > 0 || dialect === "sqlite") return known.length > 0
        await insert(servers).values({ ...row, seenAt })
        return true
      },
      { isLazy: true },
    )
    if (!found) yield* Deferred.succeed(lost, undefined)
  })
  const fault = yield* Ref.make<StoreError | undefined>(undefined)
  // A store that does not answer for a moment is no reason to end.
  const noted = Effect.matchEffect(beat, {
    onFailure: (error) => Ref.set(fault, error),
    onSuccess: () => Ref.set(fault, undefined),
  })
  yield* Effect.forkScoped(Effect.repeat(noted, Schedule.spaced(BEAT_MS)))
  return { id, lost: Deferred.await(lost), fault: Ref.get(fault) } satisfies StoreClaim["Service"]

  function isGone(other: Server, now: number): boolean {
    const life = lifeOf({
      pid: other.pid,
      host: other.host,
      ...(other.process === null ? {} : { start: other.process }),
    })
    return life === "gone" || (life === "elsewhere" && now - other.seenAt > SILENT_MS)
  }
})

/** Servers that use the store now, so far as it can be told. */
export const livingServers = Effect.gen(function* () {
  const { read } = yield* StoreDatabase
  const now = yield* Clock.currentTimeMillis
  const servers = yield* read(({ select, tables }) => select().from(tables.servers))
  return servers.filter(({ pid, host, process, seenAt }) => {
    const life = lifeOf({ pid, host, ...(process === null ? {} : { start: process }) })
    return life === "alive" || (life === "elsewhere" && now - seenAt <= SILENT_MS)
  })
})

type Server = Tables["servers"]["$inferSelect"]

function heldBy({ pid, host, startedAt }: Server): StoreError {
  return new StoreError({
    reason: "conflict",
    message: `Cannot use the store: a server holds it since ${new Date(startedAt).toISOString()}, process ${pid} on "${host}"`,
    hint: "Stop that server, use another HEADRACE_HOME, or keep the store in PostgreSQL, which servers may share",
  })
}

const BEAT_MS = 5000
const SILENT_MS = 30_000
const FORGOTTEN_MS = 24 * 3600 * 1000
