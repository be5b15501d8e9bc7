export type Role = "admin" | "developer" | "operator" | "viewer"

/** What an endpoint needs. `<what>.<verb>`; a scope of a token is one of these, or `<what>.*`. */
export type Permission =
  | "flows.read"
  | "flows.write"
  | "runs.read"
  | "runs.start"
  | "runs.control"
  | "quarantine.read"
  | "quarantine.write"
  | "schedules.read"
  | "schedules.write"
  | "triggers.read"
  | "triggers.write"
  | "sources.read"
  | "sources.write"
  | "sources.grant"
  | "components.read"
  | "users.read"
  | "users.write"
  | "audit.read"
  | "settings.read"
  | "settings.write"

const viewer: readonly Permission[] = [
  "flows.read",
  "runs.read",
  "schedules.read",
  "triggers.read",
  "sources.read",
  "components.read",
]
const operator: readonly Permission[] = [...viewer, "runs.start", "runs.control", "quarantine.read", "quarantine.write"]
const developer: readonly Permission[] = [
  ...operator,
  "flows.write",
  "schedules.write",
  "triggers.write",
  "sources.write",
]
const admin: readonly Permission[] = [
  ...developer,
  "sources.grant",
  "users.read",
  "users.write",
  "audit.read",
  "settings.read",
  "settings.write",
]

export const permissionsOf: Readonly<Record<Role, readonly Permission[]>> = { admin, developer, operator, viewer }

/** Everything there is: what scopes are chosen from. */
export const allPermissions: readonly Permission[] = admin
