import { components } from "./components.ts"
import type { ApiOf } from "./endpoint.ts"
import { flowVersions } from "./flow-versions.ts"
import { flows } from "./flows.ts"
import { grants } from "./grants.ts"
import { schedules } from "./schedules.ts"
import { sources } from "./sources.ts"
import { triggers } from "./triggers.ts"
import { webhooks } from "./webhooks.ts"
import { workbench } from "./workbench.ts"

/** Every endpoint of the server: one list for each resource. */
export const endpoints = [
  ...flows,
  ...flowVersions,
  ...workbench,
  ...sources,
  ...grants,
  ...components,
  ...schedules,
  ...triggers,
  ...webhooks,
] as const

/** What clients send and get, by method and path: `Api["GET /flows/:name"]["answer"]`. */
export type Api = ApiOf<typeof endpoints>
