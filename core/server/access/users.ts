import { and, asc, eq, gt, isNull, ne } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import { AuditLog } from "../audit.ts"
import { makeId } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import type { Actor } from "./actor.ts"
import { type Invitation, keepInvitation, prepareInvitation } from "./invitations.ts"
import type { Role } from "./permission.ts"
import { plainName, shownUser, type User } from "./user-shape.ts"

export interface UserDraft {
  readonly name: string
  readonly displayName: string
  readonly role: Role
}

export interface UserChange {
  readonly displayName: string
  readonly role: Role
  readonly disabled: boolean
}

type Failure = RequestError | StoreError

/**
 * Who may sign in. Nobody sets a password for somebody else: they get an invitation, and choose it themselves. There is
 * always an administrator who can sign in.
 */
export class Users extends Context.Service<
  Users,
  {
    /** By name. */
    list(filter: {
      readonly after?: string
      readonly limit: number
    }): Effect.Effect<{ readonly items: readonly User[]; readonly next?: string }, StoreError>
    get(id: string): Effect.Effect<User, Failure>
    create(
      actor: Actor,
      draft: UserDraft,
    ): Effect.Effect<{ readonly user: User; readonly invitation: Invitation }, Failure>
    /** Whoever is disabled, or has another role, has it at once; the sessions and tokens of the disabled end. */
    update(actor: Actor, id: string, version: number, change: UserChange): Effect.Effect<User, Failure>
    /** Takes the password away, ends every session, and lets the user choose another. */
    resetPassword(actor: Actor, id: string): Effect.Effect<Invitation, Failure>
    /** Sessions, tokens and grants go with them. What they own stays, and runs no more until somebody takes it over. */
    remove(actor: Actor, id: string, version: number): Effect.Effect<void, Failure>
  }
>()("core/server/access/Users") {
  static readonly layer = Layer.effect(
    Users,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const audit = yield* AuditLog
      return makeUsers(database, audit)
    }),
  )
}

function makeUsers(database: StoreDatabase["Service"], audit: AuditLog["Service"]): Users["Service"] {
  const record = (actor: Actor, action: string, { id, name }: User, detail: Record<string, unknown> = {}) =>
    audit.record(actor, { action, subject: { kind: "user", id, name }, detail })

  return {
    list: ({ after, limit }) =>
      database.read(async ({ select, tables: { users } }) => {
        const rows = await select()
          .from(users)
          .where(after === undefined ? undefined : gt(users.name, after))
          .orderBy(asc(users.name))
          .limit(limit + 1)
        const items = rows.slice(0, limit).map(shownUser)
        const next = rows.length > limit ? items.at(-1)?.name : undefined
        return { items, ...(next === undefined ? {} : { next }) }
      }),

    get: (id) => database.read((queries) => findUser(queries, id)),

    create: Effect.fnUntraced(function* (actor, draft) {
      const at = yield* Clock.currentTimeMillis
      const invitation = yield* Effect.promise(() => prepareInvitation(at, INVITATION_MS))
      const name = plainName(draft.name)
      const row = {
        ...draft,
        id: makeId(at),
        name,
        passwordHash: "",
        disabled: false,
        version: 1,
        createdAt: at,
        updatedAt: at,
        lastLoginAt: null,
      }
      const user = yield* database.write(async (queries) => {
        const { select, insert, tables } = queries
        const { users } = tables
        const [same] = await select({ id: users.id }).from(users).where(eq(users.name, name))
        if (same !== undefined) return refuse("conflict", `There is a user "${name}" already`)
        await insert(users).values(row)
        await keepInvitation(queries, row.id, invitation, at)
        return shownUser(row)
      })
      yield* record(actor, "user.created", user, { role: user.role })
      return { user, invitation: { secret: invitation.secret, expiresAt: invitation.expiresAt } }
    }),

    update: Effect.fnUntraced(function* (actor, id, version, change) {
      const at = yield* Clock.currentTimeMillis
      const { before, after } = yield* database.write(async (queries) => {
        const { users } = queries.tables
        const before = await findVersion(queries, id, version)
        if (!("id" in before)) return before
        const isStillAdmin = change.role === "admin" && !change.disabled
        if (!isStillAdmin && (await isLastAdmin(queries, before))) return lastAdmin("demoted or disabled")
        const [row] = await queries
          .update(users)
          .set({ ...change, version: version + 1, updatedAt: at })
          .where(eq(users.id, id))
          .returning()
        if (change.disabled) await endAccess(queries, id, at)
        return { before, after: shownUser(row!) }
      })
      const changed = (["displayName", "role", "disabled"] as const).filter((key) => before[key] !== after[key])
      const detail = Object.fromEntries(changed.map((key) => [key, { from: before[key], to: after[key] }]))
      yield* record(actor, "user.changed", after, detail)
      return after
    }),

    resetPassword: Effect.fnUntraced(function* (actor, id) {
      const at = yield* Clock.currentTimeMillis
      const invitation = yield* Effect.promise(() => prepareInvitation(at, INVITATION_MS))
      const user = yield* database.write(async (queries) => {
        const { update, delete: remove, tables } = queries
        const { users, sessions } = tables
        const user = await findUser(queries, id)
        if (!("id" in user)) return user
        // Until the invitation is used there would be nobody who could sign in.
        if (await isLastAdmin(queries, user))
          return refuse("conflict", "The last administrator keeps their password", {
            hint: "They can change it themselves, on their own page",
          })
        await update(users).set({ passwordHash: "" }).where(eq(users.id, id))
        await remove(sessions).where(eq(sessions.user, id))
        await keepInvitation(queries, id, invitation, at)
        return user
      })
      yield* record(actor, "password.reset", user)
      return { secret: invitation.secret, expiresAt: invitation.expiresAt }
    }),

    remove: Effect.fnUntraced(function* (actor, id, version) {
      const user = yield* database.write(async (queries) => {
        const user = await findVersion(queries, id, version)
        if (!("id" in user)) return user
        if (await isLastAdmin(queries, user)) return lastAdmin("removed")
        await queries.delete(queries.tables.users).where(eq(queries.tables.users.id, id))
        return user
      })
      yield* record(actor, "user.removed", user)
    }),
  }
}

async function findUser({ select, tables: { users } }: Queries, id: string): Promise<User | RequestError> {
  const [row] = await select().from(users).where(eq(users.id, id))
  return row === undefined ? refuse("missing", `There is no user with the id "${id}"`) : shownUser(row)
}

async function findVersion(queries: Queries, id: string, version: number): Promise<User | RequestError> {
  const user = await findUser(queries, id)
  if (!("id" in user) || user.version === version) return user
  return refuse("conflict", `Somebody has changed "${user.name}" meanwhile`, { current: user })
}

/** Somebody who was invited and has no password yet cannot sign in, so they do not count. */
async function isLastAdmin({ $count, tables: { users } }: Queries, user: User): Promise<boolean> {
  if (user.role !== "admin" || user.disabled) return false
  const others = and(
    eq(users.role, "admin"),
    eq(users.disabled, false),
    ne(users.passwordHash, ""),
    ne(users.id, user.id),
  )
  return (await $count(users, others)) === 0
}

function lastAdmin(what: string): RequestError {
  return refuse("conflict", `The last administrator cannot be ${what}`, { hint: "Make somebody else one first" })
}

async function endAccess({ update, delete: remove, tables }: Queries, user: string, at: number): Promise<void> {
  const { sessions, apiTokens, invitations } = tables
  await remove(sessions).where(eq(sessions.user, user))
  await remove(invitations).where(eq(invitations.user, user))
  await update(apiTokens)
    .set({ revokedAt: at })
    .where(and(eq(apiTokens.user, user), isNull(apiTokens.revokedAt)))
}

const INVITATION_MS = 72 * 3_600_000
