import { and, eq, gt, isNull, lte } from "drizzle-orm"
import type { Queries } from "../../store/database.ts"
import { hashOf, makeSecret } from "../id.ts"

/** A link that lets its holder choose a password, once. Nobody but its holder knows the secret. */
export interface Invitation {
  readonly secret: string
  readonly expiresAt: number
}

/** What is kept of a new invitation is its hash; it takes the place of earlier ones for the same user. */
export async function prepareInvitation(now: number, lifeMs: number): Promise<Invitation & { readonly hash: string }> {
  const secret = makeSecret("hri")
  return { secret, hash: await hashOf(secret), expiresAt: now + lifeMs }
}

export async function keepInvitation(
  { insert, delete: remove, tables: { invitations } }: Queries,
  user: string | null,
  { hash, expiresAt }: { readonly hash: string; readonly expiresAt: number },
  now: number,
): Promise<void> {
  await remove(invitations).where(user === null ? isNull(invitations.user) : eq(invitations.user, user))
  await remove(invitations).where(lte(invitations.expiresAt, now))
  await insert(invitations).values({ hash, user, createdAt: now, expiresAt })
}

/** Uses an invitation up; undefined for one that is unknown, used or expired. */
export async function takeInvitation(
  { delete: remove, tables: { invitations } }: Queries,
  hash: string,
  now: number,
): Promise<{ readonly user: string | null } | undefined> {
  const [taken] = await remove(invitations)
    .where(and(eq(invitations.hash, hash), gt(invitations.expiresAt, now)))
    .returning({ user: invitations.user })
  return taken
}
