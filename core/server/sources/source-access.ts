import { and, eq, gt, inArray, isNull, or } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import type { Tables } from "../../store/tables.ts"
import { type Actor, may } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { refuse } from "../request-error.ts"
import type { SourceUse } from "./source-registry.ts"

export type SourceRow = Tables["dataSources"]["$inferSelect"]
export type GrantRow = Tables["grants"]["$inferSelect"]

/** What somebody may do with a data source. */
export interface Access {
  readonly canRead: boolean
  readonly canWrite: boolean
  /** Change it, remove it, grant it. */
  readonly canChange: boolean
}

/** Owners and administrators may everything, whoever has a grant what it says. `grants` are those that are valid. */
export function accessOf(actor: Actor, source: SourceRow, grants: readonly GrantRow[]): Access {
  const canChange = actor.kind === "system" || may(actor, "sources.grant") || isOwner(actor, source)
  if (canChange || actor.role === "admin") return { canRead: true, canWrite: true, canChange }
  const own = grants.filter((grant) => grant.dataSource === source.id && grant.user === actor.account)
  const has = (access: GrantRow["access"]) => own.some((grant) => grant.access === access)
  return { canRead: has("read"), canWrite: has("write"), canChange }
}

function isOwner(actor: Actor, source: SourceRow): boolean {
  const isPerson = actor.kind === "user" || actor.kind === "token"
  return isPerson && actor.account !== "" && actor.account === source.owner
}

/** Grants of one account that have not expired. */
export async function validGrants({ select, tables }: Queries, account: string, now: number) {
  const { grants } = tables
  return await select()
    .from(grants)
    .where(and(eq(grants.user, account), or(isNull(grants.expiresAt), gt(grants.expiresAt, now))))
}

/**
 * Refuses uses that an account has no valid grant for; one that does not exist is refused in the same words. An account that
 * is gone or disabled is refused whatever it uses, also nothing but files.
 */
export const authorizeUses = Effect.fnUntraced(function* (account: string, uses: readonly SourceUse[]) {
  if (account === "") return
  const database = yield* StoreDatabase
  const now = yield* Clock.currentTimeMillis
  const names = [...new Set(uses.map(({ name }) => name))]
  const { user, sources, grants } = yield* database.read(async (queries) => {
    const { select, tables } = queries
    const { users, dataSources } = tables
    const [found] = await select().from(users).where(eq(users.id, account))
    return {
      user: found,
      sources: await select().from(dataSources).where(inArray(dataSources.name, names)),
      grants: await validGrants(queries, account, now),
    }
  })
  if (user === undefined || user.disabled)
    return yield* refuse("forbidden", "The account is not there any more, or is disabled")
  const actor: Actor = { kind: "user", id: account, name: user.name, account, role: user.role }
  const refused = uses.filter(({ name, access }) => {
    const source = sources.find((one) => one.name === name)
    if (source === undefined) return true
    const { canRead, canWrite } = accessOf(actor, source, grants)
    return access === "read" ? !canRead : !canWrite
  })
  if (refused.length === 0) return
  const subject = { kind: "data source", id: "", name: refused.map(({ name }) => name).join(", ") }
  yield* (yield* AuditLog).record(actor, { action: "access.denied", subject, detail: { uses: refused } })
  const problems = refused.map(({ name, access }) => ({
    message: `No data source "${name}" to ${access === "read" ? "read from" : "write to"}`,
    hint: "There is none of this name, or its owner has to grant it",
  }))
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""
  return yield* refuse("forbidden", `${problems[0]?.message}${more}`, { problems, hint: problems[0]!.hint })
})
