import type { ColumnKit } from "../column-kit.ts"
import type { RunOverrides } from "../run-record.ts"

/** A run as the server sees it, from the request on; `queued` ones are not known to the engine yet. */
export type JobStatus =
  | "queued"
  | "running"
  /** Its process has died; it waits for somebody to resume or cancel it. */
  | "interrupted"
  | "succeeded"
  | "failed"
  | "cancelled"
  /** Not run on purpose: the schedule says so. */
  | "skipped"

export interface JobCause {
  readonly kind: "person" | "trigger" | "schedule" | "retry" | "replay"
  /** Id of the user, the trigger, the schedule, or the job that is tried again. */
  readonly id: string
  readonly name: string
}

/** What the server runs, and what it has said meanwhile. */
export function jobTables({ table, text, integer, json }: ColumnKit) {
  return {
    jobs: table("jobs", {
      /** Also the id of the engine's run. Grows with time. */
      id: text().notNull(),
      /** Empty: a document that is not saved, which is attached. */
      flow: text().notNull(),
      flowName: text().notNull(),
      /** 0: of a document that is not saved. */
      flowVersion: integer().notNull(),
      environment: text().$type<"prod" | "dev">().notNull(),
      /** Data sources that it uses, which may be limited. */
      dataSources: json<readonly string[]>().notNull(),
      cause: json<JobCause>().notNull(),
      /** The user with whose grants it runs. */
      account: text().notNull(),
      parameters: json<Readonly<Record<string, string>>>().notNull(),
      /** Settings that take the place of the flow's own. */
      overrides: json<RunOverrides>(),
      bizdate: text().notNull(),
      scheduledAt: text().notNull(),
      priority: integer().notNull(),
      status: text().$type<JobStatus>().notNull(),
      /** Of `queued` and `running`: somebody wants it to end. */
      cancelledBy: text(),
      /** When the process of a cancelled one is killed; else by the flow's deadline. */
      killAt: integer(),
      /** How the next attempt begins. */
      start: json<JobStart>().notNull(),
      /** Tries after failures so far, of those that the flow allows. */
      retry: integer().notNull(),
      timeoutMs: integer(),
      /** The server that runs it. */
      server: text(),
      idempotencyKey: text(),
      /** SHA-256 of the request, to tell the same one from another with its key. */
      requestHash: text(),
      requestedAt: integer().notNull(),
      /** Not before. */
      dueAt: integer().notNull(),
      startedAt: integer(),
      endedAt: integer(),
      written: integer(),
      rejected: integer(),
      /** Why it has failed. */
      message: text(),
    }),
    jobAttachments: table("job_attachments", {
      job: text().notNull(),
      /** The document of a flow that is not saved; edited rows of a replay, as lines of JSON. */
      kind: text().$type<"flow" | "rows">().notNull(),
      content: text().notNull(),
    }),
    jobLogs: table("job_logs", {
      job: text().notNull(),
      line: integer().notNull(),
      at: integer().notNull(),
      level: text().$type<"debug" | "info" | "warn" | "error">().notNull(),
      step: text(),
      text: text().notNull(),
    }),
    /** Servers that share the store. */
    servers: table("servers", {
      id: text().notNull(),
      host: text().notNull(),
      pid: integer().notNull(),
      process: text(),
      startedAt: integer().notNull(),
      seenAt: integer().notNull(),
    }),
  }
}

/** How an attempt begins. */
export type JobStart =
  | { readonly kind: "run" }
  | { readonly kind: "resume"; readonly newSnapshot: boolean; readonly force: boolean }
  /** A job of its own gives up the run `of`, and begins it anew. */
  | { readonly kind: "restart"; readonly of: string; readonly force: boolean }
  /** Removes what a run that nobody goes on with has left, then ends the job. */
  | { readonly kind: "close"; readonly status: "failed" | "cancelled"; readonly message: string }
  /** Writes rejected rows of the run `of`. */
  | {
      readonly kind: "replay"
      readonly of: string
      readonly step?: string
      readonly assignments: readonly string[]
      /** Only the rows that are attached, as they are there. */
      readonly isOfRows?: boolean
    }
