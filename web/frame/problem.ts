import type { FlowProblem } from "../../core/flow/problem.ts"
import type { RequestError, RequestReason } from "../../core/server/request-error.ts"
import type { StoreError } from "../../core/store/store-error.ts"

/** A refusal as it is sent: `application/problem+json` of RFC 9457, with more that helps. */
export interface Problem {
  /** Where the page about the API tells of this kind. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** The path that was asked for; of a fault in Headrace also the id under which it is logged. */
  readonly instance: string
  readonly hint?: string
  readonly problems?: readonly FlowProblem[]
  readonly current?: unknown
  /** Seconds. */
  readonly retryAfter?: number
}

export type ProblemKind = keyof typeof problemKinds

/** Every kind of refusal, with what is said of it. */
export const problemKinds = {
  invalid: { status: 400, title: "The request is wrong", text: "`problems` tells what is wrong, field by field." },
  unauthenticated: { status: 401, title: "Sign in first", text: "Nobody is signed in, or what was shown is void." },
  forbidden: { status: 403, title: "Not allowed", text: "Whoever asks may not do this." },
  missing: { status: 404, title: "Not found", text: "There is no such thing, or none that may be seen." },
  method: { status: 405, title: "Wrong method", text: "`Allow` names the methods that this path knows." },
  conflict: { status: 409, title: "In conflict with what is there", text: "`current` shows what there is now." },
  "too-large": { status: 413, title: "Too large", text: "The body has more bytes than this endpoint takes." },
  "media-type": { status: 415, title: "Wrong media type", text: "Bodies are `application/json` in UTF-8." },
  host: { status: 421, title: "Unknown host", text: "The server does not go by the name in the `Host` header." },
  limited: { status: 429, title: "Too many requests", text: "`Retry-After` says how long to wait." },
  fault: { status: 500, title: "Headrace has failed", text: "A fault in Headrace; `instance` has its id in the log." },
  unavailable: { status: 503, title: "Not available now", text: "Headrace cannot answer just now; ask again later." },
  full: { status: 507, title: "No space left", text: "The store cannot be written: its disk is full." },
} as const satisfies Record<string, { status: number; title: string; text: string }>

/** Its reasons are kinds of problems. */
const reasons: Readonly<Record<RequestReason, ProblemKind>> = {
  invalid: "invalid",
  unauthenticated: "unauthenticated",
  forbidden: "forbidden",
  missing: "missing",
  conflict: "conflict",
  "too-large": "too-large",
  limited: "limited",
  unavailable: "unavailable",
}

export function problemOf(
  kind: ProblemKind,
  instance: string,
  detail: string,
  more: Pick<Problem, "hint" | "problems" | "current" | "retryAfter"> = {},
): Problem {
  const { status, title } = problemKinds[kind]
  return { type: `/api#${kind}`, title, status, detail, instance, ...more }
}

export function problemOfRequest(error: RequestError, instance: string): Problem {
  const { hint, problems, current, retryAfterMs } = error
  return problemOf(reasons[error.reason], instance, error.message, {
    ...(hint === undefined ? {} : { hint }),
    ...(problems === undefined ? {} : { problems }),
    ...(current === undefined ? {} : { current }),
    ...(retryAfterMs === undefined ? {} : { retryAfter: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
  })
}

/** What has happened to the store is for the log; whoever asks learns that it has. */
export function problemOfStore(error: StoreError, instance: string): Problem {
  if (error.reason === "resource")
    return problemOf("full", instance, "Cannot keep this: the disk of the store is full", {
      hint: "Nothing was changed; an administrator has to make room",
    })
  if (error.reason === "protocol" || error.reason === "missing")
    return problemOf("unavailable", instance, "The store is damaged, or gone", {
      hint: "An administrator has to look after it; the server's log says more",
      retryAfter: 60,
    })
  return problemOf("unavailable", instance, "The store cannot be used just now", {
    hint: "Try again in a moment; the server's log says more",
    retryAfter: 5,
  })
}

export function problemResponse(problem: Problem, headers: HeadersInit = {}): Response {
  const all = new Headers(headers)
  all.set("content-type", "application/problem+json")
  if (problem.retryAfter !== undefined) all.set("retry-after", String(problem.retryAfter))
  if (problem.status === 401) all.set("www-authenticate", 'Bearer realm="Headrace"')
  return new Response(JSON.stringify(problem), { status: problem.status, headers: all })
}
