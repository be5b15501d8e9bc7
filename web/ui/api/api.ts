import type { Job, LogLine } from "../../../core/server/jobs/dispatcher.ts"
import type { KeptRow } from "../../../core/store/quarantine.ts"
import type { JobStatus } from "../../../core/store/tables/job-tables.ts"
import type { Api as Served } from "../../api/index.ts"

interface E<A, P = unknown, Q = unknown, B = unknown> {
  params: P
  query: Q
  body: B
  answer: A
}
type List<T> = { readonly items: readonly T[]; readonly next?: string }
type N = { name: string }
type I = { id: string }
type Page = { after?: string; limit?: number }

interface Provisional {
  "GET /runs": E<
    List<Job>,
    unknown,
    Page & { flow?: string; status?: readonly JobStatus[]; text?: string; from?: number; to?: number }
  >
  "POST /flows/:name/runs": E<
    Job,
    N,
    { wait?: string },
    { environment?: "prod" | "dev"; parameters?: Readonly<Record<string, string>>; bizdate?: string }
  >
  "GET /runs/:id": E<
    Job & {
      detail: {
        steps: readonly unknown[]
        splits: { all: number; committed: number }
        report?: unknown
        attempts: number
      } | null
    },
    I,
    { wait?: string }
  >
  "GET /runs/:id/logs": E<{ items: readonly LogLine[]; next?: number }, I, { after?: number; limit?: number }>
  "POST /runs/:id/cancel": E<Job, I>
  "POST /runs/:id/resume": E<Job, I, unknown, { newSnapshot?: boolean; restart?: boolean; force?: boolean }>
  "GET /runs/:id/rejected": E<
    { items: readonly KeptRow[]; total: number },
    I,
    { step?: string; status?: "waiting" | "replayed" | "dropped"; limit?: number }
  >
  "POST /runs/:id/replay": E<Job, I, unknown, { step?: string; set?: readonly string[] }>
  "POST /runs/:id/drop-rejected": E<{ dropped: number }, I, unknown, { step?: string }>
}

export type Api = Served & Omit<Provisional, keyof Served>
