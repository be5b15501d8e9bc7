import type { Permission, Role } from "./permission.ts"
import { permissionsOf } from "./permission.ts"

/** Whoever does something: a person, a program with a token, a trigger, or the server by itself. */
export interface Actor {
  readonly kind: "user" | "token" | "trigger" | "schedule" | "system" | "stranger"
  /** Of the user, the token, the trigger or the schedule; empty: nobody is signed in. */
  readonly id: string
  readonly name: string
  /** The user with whose grants data sources are used; of a trigger or schedule its owner. Empty: the system. */
  readonly account: string
  readonly role: Role
  /** Of a token: what it may at most. */
  readonly scopes?: readonly string[]
  /** Of a trigger: id of the only flow that it may start and watch. */
  readonly flow?: string
  readonly address?: string
}

export function may(actor: Actor, permission: Permission): boolean {
  if (!permissionsOf[actor.role].includes(permission)) return false
  const [what] = permission.split(".")
  return actor.scopes === undefined || actor.scopes.includes(permission) || actor.scopes.includes(`${what}.*`)
}

/** What the server does by itself, such as going on after a crash. */
export const system: Actor = { kind: "system", id: "", name: "Headrace", account: "", role: "admin" }

/** Somebody who has not said who they are. */
export function stranger(address: string): Actor {
  return { kind: "stranger", id: "", name: "", account: "", role: "viewer", scopes: [], address }
}
