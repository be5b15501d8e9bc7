import { eq } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import { AuditLog } from "../audit.ts"
import { hashOf, makeId, makeSecret } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { type Actor, stranger } from "./actor.ts"
import { keepInvitation, prepareInvitation, takeInvitation } from "./invitations.ts"
import { LoginThrottle } from "./login-throttle.ts"
import { PasswordHashing } from "./password-hashing.ts"
import { passwordFault, plain } from "./password-rules.ts"
import { placeOf } from "./place.ts"
import { type Client, type NewSession, Sessions } from "./sessions.ts"
import { actorOf, plainName, shownUser, type User, type UserRow } from "./user-shape.ts"

export interface SignedIn {
  readonly user: User
  readonly session: NewSession
}

type Failure = RequestError | StoreError

/** How people become users with a session. Each of its answers begins a new session: none outlives what it was for. */
export class SignIn extends Context.Service<
  SignIn,
  {
    /** Takes the same time, and says the same, whether the name or the password is wrong. */
    signIn(name: string, password: string, client: Client): Effect.Effect<SignedIn, Failure>
    /** Ends every session of the user, the one that asks included. */
    changePassword(actor: Actor, current: string, next: string, client: Client): Effect.Effect<SignedIn, Failure>
    acceptInvitation(secret: string, password: string, client: Client): Effect.Effect<SignedIn, Failure>
    /** The secret of the link by which the first administrator comes in, a new one each time; undefined: there is one. */
    readonly inviteFirst: Effect.Effect<{ readonly secret: string; readonly expiresAt: number } | undefined, StoreError>
    readonly isEmpty: Effect.Effect<boolean, StoreError>
    setUp(
      secret: string,
      draft: { readonly name: string; readonly displayName: string; readonly password: string },
      client: Client,
    ): Effect.Effect<SignedIn, Failure>
  }
>()("core/server/access/SignIn") {
  static readonly layer = Layer.effect(
    SignIn,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const hashing = yield* PasswordHashing
      const throttle = yield* LoginThrottle
      const sessions = yield* Sessions
      const audit = yield* AuditLog
      // Of no password: what the one that comes with an unknown name is compared with.
      const decoy = yield* Effect.cached(hashing.hash(makeSecret("none")))

      const record = (actor: Actor, action: string, { id, name }: { readonly id: string; readonly name: string }) =>
        audit.record(actor, { action, subject: { kind: "user", id, name } })

      const findByName = (name: string) =>
        database.read(async ({ select, tables: { users } }) => {
          const [row] = await select().from(users).where(eq(users.name, name))
          return row
        })

      const findById = (id: string) =>
        database.read(async ({ select, tables: { users } }) => {
          const [row] = await select().from(users).where(eq(users.id, id))
          return row ?? refuse("unauthenticated", "This user is gone")
        })

      const setPassword = (user: UserRow, passwordHash: string) =>
        database.write(async ({ update, delete: remove, tables: { users, sessions, invitations } }) => {
          await update(users).set({ passwordHash }).where(eq(users.id, user.id))
          await remove(sessions).where(eq(sessions.user, user.id))
          await remove(invitations).where(eq(invitations.user, user.id))
        })

      /** Refuses what is not the user's password, and counts how often. */
      const verify = Effect.fnUntraced(function* (
        name: string,
        row: UserRow | undefined,
        password: string,
        address: string,
      ) {
        const place = placeOf(address)
        yield* throttle.begin(place, name)
        const other = yield* decoy
        const isUsable = row !== undefined && row.passwordHash !== "" && !row.disabled
        const isRight = yield* hashing.verify(plain(password), isUsable ? row.passwordHash : other)
        if (!isUsable || !isRight) {
          // A name that nobody has may be a password that was typed in the wrong field.
          yield* record(stranger(address), "login.refused", row ?? { id: "", name: "somebody unknown" })
          return yield* refuse("unauthenticated", "The name or the password is not right")
        }
        yield* throttle.succeeded(place, name)
        return row
      })

      const enter = Effect.fnUntraced(function* (row: UserRow, action: string, client: Client) {
        const at = yield* Clock.currentTimeMillis
        const session = yield* sessions.begin(row.id, client)
        yield* database.write(async ({ update, tables: { users } }) => {
          await update(users).set({ lastLoginAt: at }).where(eq(users.id, row.id))
        })
        yield* record(actorOf(row, client.address), action, row)
        return { user: shownUser({ ...row, lastLoginAt: at }), session }
      })

      return SignIn.of({
        signIn: Effect.fnUntraced(function* (given, password, client) {
          const name = plainName(given)
          const row = yield* verify(name, yield* findByName(name), password, client.address)
          if (hashing.isOld(row.passwordHash)) {
            const passwordHash = yield* hashing.hash(plain(password))
            yield* database.write(async ({ update, tables: { users } }) => {
              await update(users).set({ passwordHash }).where(eq(users.id, row.id))
            })
          }
          return yield* enter(row, "login.succeeded", client)
        }),

        changePassword: Effect.fnUntraced(function* (actor, current, next, client) {
          const found = yield* findById(actor.id)
          const row = yield* Effect.catchTag(
            verify(found.name, found, current, client.address),
            "RequestError",
            (error) =>
              // Whoever asks is signed in; it is what they have sent that is wrong.
              error.reason !== "unauthenticated"
                ? Effect.fail(error)
                : Effect.fail(wrongField("/current", "This is not your present password")),
          )
          const passwordHash = yield* checkedHash(hashing, next, row)
          yield* setPassword(row, passwordHash)
          return yield* enter({ ...row, passwordHash }, "password.changed", client)
        }),

        acceptInvitation: Effect.fnUntraced(function* (secret, password, client) {
          const at = yield* Clock.currentTimeMillis
          const hash = yield* Effect.promise(() => hashOf(secret))
          // A password that is refused must not use the invitation up.
          const found = yield* database.read(async ({ select, tables: { users, invitations } }) => {
            const [row] = await select({ user: users })
              .from(invitations)
              .innerJoin(users, eq(users.id, invitations.user))
              .where(eq(invitations.hash, hash))
            return row?.user ?? voidLink()
          })
          const passwordHash = yield* checkedHash(hashing, password, found)
          const row = yield* database.write(async (queries) => {
            const { update, delete: remove, tables } = queries
            const taken = await takeInvitation(queries, hash, at)
            if (taken?.user !== found.id) return voidLink()
            await remove(tables.sessions).where(eq(tables.sessions.user, found.id))
            const [row] = await update(tables.users)
              .set({ passwordHash })
              .where(eq(tables.users.id, found.id))
              .returning()
            return row === undefined || row.disabled ? voidLink() : row
          })
          return yield* enter(row, "invitation.accepted", client)
        }),

        isEmpty: database.read(async ({ $count, tables: { users } }) => (await $count(users)) === 0),

        inviteFirst: Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          const invitation = yield* Effect.promise(() => prepareInvitation(at, SETUP_MS))
          return yield* database.write(async (queries) => {
            if ((await queries.$count(queries.tables.users)) > 0) return undefined
            await keepInvitation(queries, null, invitation, at)
            return { secret: invitation.secret, expiresAt: invitation.expiresAt }
          })
        }),

        setUp: Effect.fnUntraced(function* (secret, { name: given, displayName, password }, client) {
          const at = yield* Clock.currentTimeMillis
          const name = plainName(given)
          const hash = yield* Effect.promise(() => hashOf(secret))
          const isKnown = yield* database.read(
            async ({ $count, tables: { invitations } }) => (await $count(invitations, eq(invitations.hash, hash))) > 0,
          )
          // The password is worked on for those only who hold a link.
          if (!isKnown) return yield* voidLink()
          const passwordHash = yield* checkedHash(hashing, password, { name, displayName })
          const row: UserRow = {
            id: makeId(at),
            name,
            displayName,
            passwordHash,
            role: "admin",
            disabled: false,
            version: 1,
            createdAt: at,
            updatedAt: at,
            lastLoginAt: null,
          }
          yield* database.write(async (queries) => {
            const taken = await takeInvitation(queries, hash, at)
            if (taken?.user !== null) return voidLink()
            if ((await queries.$count(queries.tables.users)) > 0)
              return refuse("conflict", "Headrace was set up already", { hint: "Sign in, or ask an administrator" })
            await queries.insert(queries.tables.users).values(row)
          })
          return yield* enter(row, "setup.completed", client)
        }),
      })
    }),
  )
}

function checkedHash(
  hashing: PasswordHashing["Service"],
  password: string,
  { name, displayName }: { readonly name: string; readonly displayName: string },
): Effect.Effect<string, RequestError> {
  const fault = passwordFault(password, [name, displayName])
  return fault === undefined ? hashing.hash(plain(password)) : Effect.fail(wrongField("/password", fault))
}

function wrongField(pointer: string, message: string): RequestError {
  return refuse("invalid", message, { problems: [{ pointer, message }] })
}

function voidLink(): RequestError {
  return refuse("unauthenticated", "This link is not valid any more", {
    hint: "Ask an administrator for a new one; for the first one, start the server again",
  })
}

const SETUP_MS = 3_600_000
