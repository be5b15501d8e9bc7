import type { ApiOf } from "./endpoint.ts"
import { schedules } from "./schedules.ts"
import { triggers } from "./triggers.ts"
import { webhooks } from "./webhooks.ts"

/** Every endpoint of the server: one list for each resource. */
export const endpoints = [...schedules, ...triggers, ...webhooks] as const

/** What clients send and get, by method and path: `Api["GET /flows/:name"]["answer"]`. */
export type Api = ApiOf<typeof endpoints>
