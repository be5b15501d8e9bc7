import type { Permission } from "../../../core/server/access/permission.ts"
import type { IconName } from "../parts/icon.tsx"

/** Where one can go. */
export interface Place {
  readonly to: string
  readonly text: string
  readonly icon: IconName
  readonly needs?: Permission
  /** Pressed after `g`. */
  readonly key?: string
}

export const WORK: readonly Place[] = [
  { to: "/", text: "Overview", icon: "overview", key: "o" },
  { to: "/flows", text: "Flows", icon: "flows", needs: "flows.read", key: "f" },
  { to: "/runs", text: "Runs", icon: "runs", needs: "runs.read", key: "r" },
  { to: "/schedules", text: "Schedules", icon: "schedules", needs: "schedules.read", key: "s" },
  { to: "/sources", text: "Data sources", icon: "sources", needs: "sources.read", key: "d" },
  { to: "/webhooks", text: "Webhooks", icon: "webhooks", needs: "triggers.read" },
]

export const MANAGE: readonly Place[] = [
  { to: "/users", text: "Users", icon: "users", needs: "users.read" },
  { to: "/audit", text: "Audit log", icon: "audit", needs: "audit.read" },
  { to: "/settings", text: "Settings", icon: "settings", needs: "settings.read" },
]

export const READ: readonly Place[] = [
  { to: "/components", text: "Components", icon: "components", needs: "components.read", key: "c" },
  { to: "/docs", text: "Documentation", icon: "docs", key: "h" },
]
