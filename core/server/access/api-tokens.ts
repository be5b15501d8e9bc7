import { and, desc, eq, isNull, lt, sql } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { Tables } from "../../store/tables.ts"
import { AuditLog } from "../audit.ts"
import { hashOf, makeId, makeSecret } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import type { Actor } from "./actor.ts"
import type { Authenticator } from "./authentication.ts"
import type { Role } from "./permission.ts"

/** A token as people see it: what it is cannot be seen again. */
export interface ApiToken {
  readonly id: string
  readonly name: string
  /** Its first characters. */
  readonly prefix: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

export interface TokenDraft {
  readonly name: string
  readonly scopes: readonly string[]
  readonly expiresAt: number | null
}

type Failure = RequestError | StoreError

/**
 * What programs show in place of a password. A token may what its scopes say, and never more than its user may when it
 * is used.
 */
export class ApiTokens extends Context.Service<
  ApiTokens,
  {
    /** Newest first. */
    list(
      user: string,
      filter: { readonly after?: string; readonly limit: number },
    ): Effect.Effect<{ readonly items: readonly ApiToken[]; readonly next?: string }, StoreError>
    create(
      actor: Actor,
      draft: TokenDraft,
    ): Effect.Effect<{ readonly secret: string; readonly token: ApiToken }, Failure>
    revoke(actor: Actor, user: string, id: string): Effect.Effect<void, Failure>
    readonly authenticator: Authenticator
  }
>()("core/server/access/ApiTokens") {
  static readonly layer = Layer.effect(
    ApiTokens,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const audit = yield* AuditLog
      return ApiTokens.of({
        list: (user, { after, limit }) =>
          database.read(async ({ select, tables: { apiTokens } }) => {
            const before = after === undefined ? undefined : lt(apiTokens.id, after)
            const rows = await select()
              .from(apiTokens)
              .where(and(eq(apiTokens.user, user), before))
              .orderBy(desc(apiTokens.id))
              .limit(limit + 1)
            const items = rows.slice(0, limit).map(shownToken)
            const next = rows.length > limit ? items.at(-1)?.id : undefined
            return { items, ...(next === undefined ? {} : { next }) }
          }),

        create: Effect.fnUntraced(function* (actor, { name, scopes, expiresAt }) {
          const at = yield* Clock.currentTimeMillis
          if (expiresAt !== null && expiresAt <= at)
            return yield* refuse("invalid", "The token would have expired already", {
              problems: [{ pointer: "/expiresAt", message: "It lies in the past" }],
            })
          const secret = makeSecret("hrt")
          const hash = yield* Effect.promise(() => hashOf(secret))
          const row = {
            id: makeId(at),
            user: actor.account,
            name,
            hash,
            prefix: secret.slice(0, SHOWN_LETTERS),
            scopes: [...new Set(scopes)],
            createdAt: at,
            expiresAt,
            lastUsedAt: null,
            revokedAt: null,
          }
          yield* database.write(async ({ $count, insert, tables: { apiTokens } }) => {
            const live = and(eq(apiTokens.user, actor.account), isNull(apiTokens.revokedAt))
            if ((await $count(apiTokens, live)) >= MOST_TOKENS)
              return refuse("conflict", `A user has at most ${MOST_TOKENS} tokens`, { hint: "Revoke those of no use" })
            await insert(apiTokens).values(row)
          })
          const subject = { kind: "token", id: row.id, name }
          yield* audit.record(actor, { action: "token.created", subject, detail: { scopes: row.scopes, expiresAt } })
          return { secret, token: shownToken(row) }
        }),

        revoke: Effect.fnUntraced(function* (actor, user, id) {
          const at = yield* Clock.currentTimeMillis
          const name = yield* database.write(async ({ update, tables: { apiTokens } }) => {
            const [revoked] = await update(apiTokens)
              .set({ revokedAt: at })
              .where(and(eq(apiTokens.id, id), eq(apiTokens.user, user), isNull(apiTokens.revokedAt)))
              .returning({ name: apiTokens.name })
            return revoked?.name ?? refuse("missing", "There is no such token, or it is revoked already")
          })
          yield* audit.record(actor, {
            action: "token.revoked",
            subject: { kind: "token", id, name },
            detail: { user },
          })
        }),

        authenticator: { prefix: "hrt_", recognise: (token, address) => recognise(database, token, address) },
      })
    }),
  )
}

function recognise(
  database: StoreDatabase["Service"],
  secret: string,
  address: string,
): Effect.Effect<Actor, RequestError | StoreError> {
  return Effect.gen(function* () {
    const at = yield* Clock.currentTimeMillis
    const hash = yield* Effect.promise(() => hashOf(secret))
    const found = yield* database.read((queries) => findToken(queries, hash))
    if (found === undefined) return yield* refuse("unauthenticated", "This token is not known here")
    const { id, name } = found
    if (found.revoked_at !== null) return yield* refuse("unauthenticated", `The token "${name}" was revoked`)
    if (found.expires_at !== null && found.expires_at <= at)
      return yield* refuse("unauthenticated", `The token "${name}" has expired`)
    if (found.disabled) return yield* refuse("unauthenticated", `The user of the token "${name}" is disabled`)
    if (found.last_used_at === null || Math.abs(at - found.last_used_at) > USED_MS)
      yield* database.write(async ({ update, tables: { apiTokens } }) => {
        await update(apiTokens).set({ lastUsedAt: at }).where(eq(apiTokens.id, id))
      })
    const scopes = JSON.parse(found.scopes) as readonly string[] // as it was kept
    return { kind: "token", id, name, account: found.account, role: found.role, scopes, address } satisfies Actor
  })
}

interface Found {
  readonly id: string
  readonly name: string
  readonly scopes: string
  readonly expires_at: number | null
  readonly last_used_at: number | null
  readonly revoked_at: number | null
  readonly account: string
  readonly role: Role
  readonly disabled: boolean | number
}

/** Every request of a program asks for it: said by hand it takes a fifth of what building the query takes. */
async function findToken({ rows }: Queries, hash: string): Promise<Found | undefined> {
  const [found] = await rows<Found>(sql`
    SELECT t.id, t.name, t.scopes, t.expires_at, t.last_used_at, t.revoked_at, u.id AS account, u.role, u.disabled
    FROM api_tokens t JOIN users u ON u.id = t."user" WHERE t.hash = ${hash}`)
  return found
}

function shownToken({ user: _user, hash: _hash, ...token }: Tables["apiTokens"]["$inferSelect"]): ApiToken {
  return token
}

const SHOWN_LETTERS = 10
const USED_MS = 60_000
const MOST_TOKENS = 100
