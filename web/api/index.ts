import { administrationEndpoints } from "./administration.ts"
import { components } from "./components.ts"
import type { ApiOf } from "./endpoint.ts"
import { flowMarks } from "./flow-marks.ts"
import { flowVersions } from "./flow-versions.ts"
import { flows } from "./flows.ts"
import { grants } from "./grants.ts"
import { meEndpoints } from "./me.ts"
import { quarantine } from "./quarantine.ts"
import { runEvents } from "./run-events.ts"
import { runFlow } from "./run-flow.ts"
import { runLogs } from "./run-logs.ts"
import { runs } from "./runs.ts"
import { schedules } from "./schedules.ts"
import { sessionEndpoints } from "./session.ts"
import { sources } from "./sources.ts"
import { triggers } from "./triggers.ts"
import { userEndpoints } from "./users.ts"
import { webhooks } from "./webhooks.ts"
import { workbench } from "./workbench.ts"

/** Every endpoint of the server: one list for each resource. */
export const endpoints = [
  ...sessionEndpoints,
  ...meEndpoints,
  ...userEndpoints,
  ...administrationEndpoints,
  ...flows,
  ...flowVersions,
  ...flowMarks,
  ...workbench,
  ...sources,
  ...grants,
  ...components,
  ...runs,
  ...runFlow,
  ...runLogs,
  ...runEvents,
  ...quarantine,
  ...schedules,
  ...triggers,
  ...webhooks,
] as const

/** What clients send and get, by method and path: `Api["GET /flows/:name"]["answer"]`. */
export type Api = ApiOf<typeof endpoints>
