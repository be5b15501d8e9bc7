import type { FlowProblem } from "../../../core/flow/problem.ts"

/** What the server answers when it does not do what it was asked (RFC 9457). */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail?: string
  readonly reason?: string
  readonly hint?: string
  /** What is wrong with single fields, by JSON pointer. */
  readonly problems?: readonly FlowProblem[]
  /** What there is now, where somebody else was faster. */
  readonly current?: unknown
}

/** A request that was refused, or that never got through (`status` 0). */
export class RequestProblem extends Error {
  override readonly name = "RequestProblem"
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.problem = problem
  }
}

export function problemOf(cause: unknown): Problem {
  if (cause instanceof RequestProblem) return cause.problem
  return { status: 0, title: cause instanceof Error ? cause.message : String(cause) }
}

/** Reads problem+json, or makes the best of another answer. */
export async function readProblem(answer: Response): Promise<Problem> {
  const fallback = { status: answer.status, title: `The server answered ${answer.status} ${answer.statusText}`.trim() }
  if (!answer.headers.get("content-type")?.includes("json")) return fallback
  const body: unknown = await answer.json().catch(() => undefined)
  if (typeof body !== "object" || body === null) return fallback
  // The server's own shape; whatever it leaves out comes from the status.
  return { ...fallback, ...(body as Partial<Problem>) }
}

/** What is wrong with one field: the problems at its pointer or below it. */
export function fieldError(problem: Problem | undefined, pointer: string): string | undefined {
  const found = problem?.problems?.filter(
    (one) => one.pointer === pointer || one.pointer?.startsWith(`${pointer}/`) === true,
  )
  if (found === undefined || found.length === 0) return undefined
  return found.map((one) => (one.hint ? `${one.message}. ${one.hint}` : one.message)).join(". ")
}
