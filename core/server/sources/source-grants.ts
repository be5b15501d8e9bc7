import { and, asc, eq, or } from "drizzle-orm"
import { Clock, Effect } from "effect"
import type { Queries, StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { Actor } from "../access/actor.ts"
import { type RequestError, refuse } from "../request-error.ts"
import type { SourceRow } from "./source-access.ts"
import type { SourceRegistry } from "./source-registry.ts"

interface Around {
  readonly database: StoreDatabase["Service"]
  findOwn(actor: Actor, name: string): Effect.Effect<{ readonly row: SourceRow }, RequestError | StoreError>
  recorded(actor: Actor, action: string, row: SourceRow, detail: object): Effect.Effect<void, StoreError>
}

/** Who may use a data source besides its owner and administrators. */
export function makeSourceGrants({
  database,
  findOwn,
  recorded,
}: Around): Pick<SourceRegistry["Service"], "grants" | "grant" | "revoke"> {
  return {
    grants: Effect.fnUntraced(function* (actor, name) {
      const { row } = yield* findOwn(actor, name)
      return yield* database.read(({ select, tables: { grants, users } }) =>
        select({
          ...{ user: grants.user, name: users.name, access: grants.access, grantedBy: grants.grantedBy },
          ...{ createdAt: grants.createdAt, expiresAt: grants.expiresAt },
        })
          .from(grants)
          .innerJoin(users, eq(users.id, grants.user))
          .where(eq(grants.dataSource, row.id))
          .orderBy(asc(users.name), asc(grants.access)),
      )
    }),

    grant: Effect.fnUntraced(function* (actor, name, { user, access, expiresAt }) {
      const { row } = yield* findOwn(actor, name)
      const now = yield* Clock.currentTimeMillis
      if (expiresAt !== null && expiresAt <= now) {
        const message = "A grant ends in the future"
        return yield* refuse("invalid", message, { problems: [{ pointer: "/expiresAt", message }] })
      }
      const granted = yield* database.write(async (queries) => {
        const { insert, tables } = queries
        const { grants } = tables
        const known = await userOf(queries, user)
        if (known === undefined) return refuse("missing", `There is no user "${user}"`)
        const given = { grantedBy: actor.account, createdAt: now, expiresAt }
        await insert(grants)
          .values({ dataSource: row.id, user: known, access, ...given })
          .onConflictDoUpdate({ target: [grants.dataSource, grants.user, grants.access], set: given })
        return known
      })
      yield* recorded(actor, "source.granted", row, { user: granted, access, expiresAt })
    }),

    revoke: Effect.fnUntraced(function* (actor, name, user, access) {
      const { row } = yield* findOwn(actor, name)
      const gone = yield* database.write(async (queries) => {
        const { grants } = queries.tables
        const known = (await userOf(queries, user)) ?? user
        return await queries
          .delete(grants)
          .where(and(eq(grants.dataSource, row.id), eq(grants.user, known), eq(grants.access, access)))
          .returning({ user: grants.user })
      })
      if (gone.length === 0) return yield* refuse("missing", `The user has no grant to ${access} data source "${name}"`)
      yield* recorded(actor, "source.revoked", row, { user: gone[0]?.user, access })
    }),
  }
}

async function userOf({ select, tables: { users } }: Queries, user: string): Promise<string | undefined> {
  const found = await select({ id: users.id, name: users.name })
    .from(users)
    .where(or(eq(users.id, user), eq(users.name, user.toLowerCase())))
  return (found.find(({ id }) => id === user) ?? found[0])?.id
}
