import { and, desc, eq, like, lte, or, sql } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import { AuditLog } from "../audit.ts"
import { hashOf, makeSecret } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { ServerSettings } from "../settings.ts"
import type { Actor } from "./actor.ts"
import type { Recognised } from "./authentication.ts"
import type { Role } from "./permission.ts"
import { actorOf } from "./user-shape.ts"

/** A session that has just begun. */
export interface NewSession {
  /** For the cookie, and nowhere else. */
  readonly secret: string
  readonly id: string
  readonly csrf: string
  readonly expiresAt: number
}

/** A session as its owner sees it. */
export interface ShownSession {
  readonly id: string
  readonly createdAt: number
  readonly seenAt: number
  readonly expiresAt: number
  readonly address: string
  readonly agent: string
}

/** Of a browser that signs in. */
export interface Client {
  readonly address: string
  readonly agent: string
}

/**
 * Who has signed in with a browser. The secret is known to the browser only; what is kept is its hash. A session ends
 * when nobody has used it for some hours, and after some days in any case.
 */
export class Sessions extends Context.Service<
  Sessions,
  {
    begin(user: string, client: Client): Effect.Effect<NewSession, StoreError>
    recognise(secret: string, address: string): Effect.Effect<Recognised, RequestError | StoreError>
    list(actor: Actor): Effect.Effect<readonly ShownSession[], StoreError>
    /** Ends one of the actor's own. */
    end(actor: Actor, id: string): Effect.Effect<void, RequestError | StoreError>
    /** Ends all of a user's sessions. */
    endAll(user: string): Effect.Effect<void, StoreError>
  }
>()("core/server/access/Sessions") {
  static readonly layer = Layer.effect(
    Sessions,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const settings = yield* ServerSettings
      const audit = yield* AuditLog
      return Sessions.of({
        begin: Effect.fnUntraced(function* (user, { address, agent }) {
          const at = yield* Clock.currentTimeMillis
          const idleMs = (yield* settings.get("sessions.idleHours")) * HOUR_MS
          const expiresAt = at + (yield* settings.get("sessions.mostDays")) * 24 * HOUR_MS
          const secret = makeSecret("hrs")
          const [hash, csrf] = yield* Effect.promise(() => Promise.all([hashOf(secret), csrfOf(secret)]))
          const row = { hash, user, csrf, createdAt: at, seenAt: at, expiresAt, address, agent: agent.slice(0, 200) }
          yield* database.write(async ({ insert, delete: remove, tables: { sessions } }) => {
            await remove(sessions).where(or(lte(sessions.expiresAt, at), lte(sessions.seenAt, at - idleMs)))
            await insert(sessions).values(row)
          })
          return { secret, id: idOf(hash), csrf, expiresAt }
        }),

        recognise: Effect.fnUntraced(function* (secret, address) {
          const at = yield* Clock.currentTimeMillis
          const idleMs = (yield* settings.get("sessions.idleHours")) * HOUR_MS
          const hash = yield* Effect.promise(() => hashOf(secret))
          const found = yield* database.read((queries) => findSession(queries, hash))
          if (found === undefined || found.expires_at <= at || found.seen_at <= at - idleMs)
            return yield* refuse("unauthenticated", "The session has ended", { hint: "Sign in again" })
          if (found.disabled) return yield* refuse("unauthenticated", "This user is disabled")
          // A clock that was set back must not make a session last longer.
          if (Math.abs(at - found.seen_at) > SEEN_MS)
            yield* database.write(async ({ update, tables: { sessions } }) => {
              await update(sessions).set({ seenAt: at }).where(eq(sessions.hash, hash))
            })
          return { actor: actorOf(found, address), session: { id: idOf(hash), csrf: found.csrf } }
        }),

        list: (actor) =>
          database.read(async ({ select, tables: { sessions } }) => {
            const rows = await select()
              .from(sessions)
              .where(eq(sessions.user, actor.id))
              .orderBy(desc(sessions.seenAt))
              .limit(MOST_SHOWN)
            return rows.map(({ hash, createdAt, seenAt, expiresAt, address, agent }) => {
              return { id: idOf(hash), createdAt, seenAt, expiresAt, address, agent }
            })
          }),

        end: Effect.fnUntraced(function* (actor, id) {
          yield* database.write(async ({ delete: remove, tables: { sessions } }) => {
            const own = and(eq(sessions.user, actor.id), like(sessions.hash, `${hexOnly(id)}%`))
            const ended = await remove(sessions).where(own).returning({ hash: sessions.hash })
            if (ended.length === 0) return refuse("missing", "There is no such session of yours")
          })
          const subject = { kind: "session", id, name: actor.name }
          yield* audit.record(actor, { action: "session.ended", subject })
        }),

        endAll: (user) =>
          database.write(async ({ delete: remove, tables: { sessions } }) => {
            await remove(sessions).where(eq(sessions.user, user))
          }),
      })
    }),
  )
}

interface Found {
  readonly csrf: string
  readonly expires_at: number
  readonly seen_at: number
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly disabled: boolean | number
}

/** Every request of a browser asks for it: said by hand it takes a fifth of what building the query takes. */
async function findSession({ rows }: Queries, hash: string): Promise<Found | undefined> {
  const [found] = await rows<Found>(sql`
    SELECT s.csrf, s.expires_at, s.seen_at, u.id, u.name, u.role, u.disabled
    FROM sessions s JOIN users u ON u.id = s."user" WHERE s.hash = ${hash}`)
  return found
}

/** What a page sends back with what changes something; it follows from the secret and does not tell it. */
function csrfOf(secret: string): Promise<string> {
  return hashOf(`csrf ${secret}`)
}

/** Tells a session from others, and is no use for anything else. */
function idOf(hash: string): string {
  return hash.slice(0, ID_LETTERS)
}

/** Anything else would be a pattern. */
function hexOnly(id: string): string {
  return new RegExp(`^[\\da-f]{${ID_LETTERS}}$`).test(id) ? id : "-"
}

const ID_LETTERS = 32
const HOUR_MS = 3_600_000
const SEEN_MS = 60_000
const MOST_SHOWN = 100
