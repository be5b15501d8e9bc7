import type { RunReport } from "../../../core/run/report.ts"
import type { Role } from "../../../core/server/access/permission.ts"
import type { FlowDifference } from "../../../core/server/flows/flow-difference.ts"
import type { FlowVersion, SavedFlow } from "../../../core/server/flows/flow-library.ts"
import type { Job, LogLine } from "../../../core/server/jobs/dispatcher.ts"
import type { ShownRows } from "../../../core/server/jobs/orders.ts"
import type { CheckedFlow } from "../../../core/server/jobs/workbench.ts"
import type { Recurrence } from "../../../core/server/schedules/recurrence.ts"
import type { ShownSchedule } from "../../../core/server/schedules/schedules.ts"
import type { ScheduleDraft } from "../../../core/server/schedules/timing.ts"
import type { Grant, ShownSource, SourceDraft } from "../../../core/server/sources/source-registry.ts"
import type { NewTrigger, ShownTrigger, TriggerDraft } from "../../../core/server/triggers/triggers.ts"
import type { ShownDelivery, ShownWebhook, WebhookDraft } from "../../../core/server/triggers/webhooks.ts"
import type { KeptRow, WaitingRows } from "../../../core/store/quarantine.ts"
import type { FlowProperties } from "../../../core/store/tables/flow-tables.ts"
import type { JobStatus } from "../../../core/store/tables/job-tables.ts"
import type { Api as Served } from "../../api/index.ts"

interface E<A, P = unknown, Q = unknown, B = unknown> {
  params: P
  query: Q
  body: B
  answer: A
}
type List<T> = { readonly items: readonly T[]; readonly next?: string }
interface Me {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly role: Role
  readonly permissions: readonly string[]
  readonly csrf?: string
}
interface User {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly role: Role
  readonly disabled: boolean
  readonly version: number
  readonly createdAt: number
  readonly hasPassword: boolean
  readonly lastLoginAt: number | null
}
interface Token {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}
interface AuditLine {
  readonly id: string
  readonly at: number
  readonly actorKind: string
  readonly actorId: string
  readonly actorName: string
  readonly action: string
  readonly subjectKind: string
  readonly subjectId: string
  readonly subjectName: string
  readonly detail: Readonly<Record<string, unknown>>
  readonly address: string | null
}
export interface ComponentInfo {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly summary: string
  readonly plugin: string
  readonly version: string
}
interface ComponentDetail extends ComponentInfo {
  readonly description: string
  readonly config: unknown
  readonly documentation: string
}
type Question = {
  document: string
  environment: "prod" | "dev"
  parameters?: Readonly<Record<string, string>>
  bizdate?: string
}
type N = { name: string }
type I = { id: string }
type Page = { after?: string; limit?: number }

interface Provisional {
  "GET /me": E<Me>
  "POST /session": E<Me, unknown, unknown, { name: string; password: string }>
  "DELETE /session": E<void>
  "POST /setup": E<Me, unknown, unknown, { secret: string; name: string; displayName: string; password: string }>
  "POST /invitations": E<Me, unknown, unknown, { secret: string; password: string }>
  "POST /me/password": E<Me, unknown, unknown, { current: string; password: string }>
  "GET /me/sessions": E<{
    current: string
    items: readonly {
      id: string
      createdAt: number
      seenAt: number
      expiresAt: number
      address: string
      agent: string
    }[]
  }>
  "DELETE /me/sessions/:id": E<void, I>
  "GET /load": E<{ queued: number; running: number; workers: { idle: number; busy: number } }>
  "GET /flows": E<List<Omit<SavedFlow, "document">>, unknown, Page & { text?: string; folder?: string }>
  "POST /flows": E<SavedFlow, unknown, unknown, { name: string; folder: string; description: string; document: string }>
  "GET /flows/:name": E<SavedFlow, N>
  "PUT /flows/:name": E<
    SavedFlow,
    N,
    unknown,
    {
      name: string
      folder: string
      description: string
      document: string
      properties: FlowProperties
      remark: string
      version: number
    }
  >
  "DELETE /flows/:name": E<void, N, { version: number }>
  "GET /flows/:name/versions": E<{ items: readonly FlowVersion[] }, N>
  "GET /flows/:name/versions/:version": E<SavedFlow, { name: string; version: number }>
  "GET /flows/:name/compare": E<FlowDifference, N, { from: number; to: number }>
  "POST /flows/:name/versions/:version/restore": E<
    SavedFlow,
    { name: string; version: number },
    unknown,
    { version: number }
  >
  "GET /flow-schema": E<unknown>
  "POST /check": E<CheckedFlow, unknown, unknown, Question>
  "POST /plan": E<unknown, unknown, unknown, Question>
  "POST /preview": E<ShownRows, unknown, unknown, Question & { step?: string; rows: number }>
  "POST /parameters": E<unknown, unknown, unknown, Question>
  "GET /runs": E<
    List<Job>,
    unknown,
    Page & { flow?: string; status?: readonly JobStatus[]; text?: string; from?: number; to?: number }
  >
  "POST /flows/:name/runs": E<
    Job,
    N,
    unknown,
    { environment: "prod" | "dev"; parameters: Readonly<Record<string, string>>; bizdate?: string }
  >
  "GET /runs/:id": E<Job & { report?: RunReport }, I>
  "GET /runs/:id/log": E<{ items: readonly LogLine[] }, I, { after?: number; limit?: number }>
  "POST /runs/:id/cancel": E<Job, I>
  "POST /runs/:id/resume": E<Job, I, unknown, { newSnapshot: boolean; restart: boolean; force: boolean }>
  "GET /runs/:id/rejected": E<
    { items: readonly KeptRow[]; waiting: readonly WaitingRows[] },
    I,
    { step?: string; after?: number; limit?: number }
  >
  "POST /runs/:id/rejected/replay": E<Job, I, unknown, { set: Readonly<Record<string, string>> }>
  "POST /runs/:id/rejected/drop": E<{ rows: number }, I, unknown, { step?: string }>
  "GET /sources": E<{ items: readonly ShownSource[] }>
  "POST /sources": E<ShownSource, unknown, unknown, SourceDraft>
  "GET /sources/:name": E<ShownSource, N>
  "PUT /sources/:name": E<ShownSource, N, unknown, SourceDraft & { version: number }>
  "DELETE /sources/:name": E<void, N, { version: number }>
  "POST /source-tests": E<
    { server: string; durationMs: number },
    unknown,
    unknown,
    SourceDraft & { environment: "prod" | "dev" }
  >
  "GET /sources/:name/tables": E<
    { items: readonly unknown[] },
    N,
    { environment?: "prod" | "dev"; schema?: string; text?: string }
  >
  "GET /sources/:name/columns": E<unknown, N, { environment?: "prod" | "dev"; schema?: string; table: string }>
  "GET /sources/:name/grants": E<{ items: readonly Grant[] }, N>
  "PUT /sources/:name/grants": E<void, N, unknown, { user: string; access: "read" | "write"; expiresAt: number | null }>
  "DELETE /sources/:name/grants": E<void, N, { user: string; access: "read" | "write" }>
  "GET /components": E<{ items: readonly ComponentInfo[] }>
  "GET /components/:id": E<ComponentDetail, I>
  "GET /schedules": E<{ items: readonly ShownSchedule[] }, unknown, { flow?: string }>
  "POST /flows/:name/schedules": E<ShownSchedule, N, unknown, ScheduleDraft>
  "GET /schedules/:id": E<ShownSchedule, I>
  "PUT /schedules/:id": E<ShownSchedule, I, unknown, ScheduleDraft & { version: number }>
  "DELETE /schedules/:id": E<void, I, { version: number }>
  "POST /schedules/:id/pause": E<ShownSchedule, I>
  "POST /schedules/:id/resume": E<ShownSchedule, I>
  "POST /schedule-previews": E<
    { firings: readonly number[] },
    unknown,
    unknown,
    {
      recurrence: Recurrence
      timeZone: string
      effectiveFrom: string | null
      effectiveTo: string | null
      count?: number
    }
  >
  "GET /flows/:name/triggers": E<{ items: readonly ShownTrigger[] }, N>
  "POST /flows/:name/triggers": E<NewTrigger, N, unknown, TriggerDraft>
  "POST /triggers/:id/rotate": E<NewTrigger, I>
  "DELETE /triggers/:id": E<void, I>
  "GET /webhooks": E<{ items: readonly ShownWebhook[] }>
  "POST /webhooks": E<{ webhook: ShownWebhook; secret: string }, unknown, unknown, WebhookDraft>
  "PUT /webhooks/:id": E<ShownWebhook, I, unknown, WebhookDraft & { version: number }>
  "DELETE /webhooks/:id": E<void, I>
  "GET /webhooks/:id/deliveries": E<List<ShownDelivery>, I, Page>
  "POST /webhooks/:id/deliveries/:delivery/retry": E<void, { id: string; delivery: string }>
  "GET /users": E<List<User>, unknown, Page>
  "POST /users": E<
    { user: User; invitation: { path: string; expiresAt: number } },
    unknown,
    unknown,
    { name: string; displayName: string; role: Role }
  >
  "DELETE /users/:id": E<void, I, { version: number }>
  "PUT /users/:id": E<User, I, unknown, { displayName: string; role: Role; disabled: boolean; version: number }>
  "POST /users/:id/invitation": E<{ path: string; expiresAt: number }, I>
  "GET /me/tokens": E<List<Token>, unknown, Page>
  "POST /me/tokens": E<
    { token: Token; secret: string },
    unknown,
    unknown,
    { name: string; scopes: readonly string[]; expiresAt: number | null }
  >
  "DELETE /me/tokens/:id": E<void, I>
  "GET /audit": E<List<AuditLine>, unknown, Page & { action?: string; text?: string; from?: number; to?: number }>
  "GET /settings": E<Readonly<Record<string, unknown>>>
  "PATCH /settings": E<Readonly<Record<string, unknown>>, unknown, unknown, Readonly<Record<string, unknown>>>
}

export type Api = Served & Omit<Provisional, keyof Served>
