import type { Tables } from "../../store/tables.ts"
import type { Actor } from "./actor.ts"
import type { Role } from "./permission.ts"

/** Somebody who signs in, as people see them. */
export interface User {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly role: Role
  readonly disabled: boolean
  /** False until they have chosen a password. */
  readonly hasPassword: boolean
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly lastLoginAt: number | null
}

export type UserRow = Tables["users"]["$inferSelect"]

export function shownUser({ passwordHash, ...row }: UserRow): User {
  return { ...row, hasPassword: passwordHash !== "" }
}

export function actorOf({ id, name, role }: Pick<UserRow, "id" | "name" | "role">, address: string): Actor {
  return { kind: "user", id, name, account: id, role, address }
}

/** Names are told apart without regard to case. */
export function plainName(name: string): string {
  return name.trim().normalize("NFKC").toLowerCase()
}
