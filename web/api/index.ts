import type { ApiOf } from "./endpoint.ts"

/** Every endpoint of the server: one list for each resource. */
export const endpoints = [] as const

/** What clients send and get, by method and path: `Api["GET /flows/:name"]["answer"]`. */
export type Api = ApiOf<typeof endpoints>
