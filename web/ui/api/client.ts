import type { Api } from "../../api/index.ts"
import { type Problem, RequestProblem, readProblem } from "./problem.ts"

type Key = keyof Api & string
/** A part that an endpoint does not have may be left out. */
type Part<Name extends string, T> = unknown extends T ? object : { readonly [N in Name]: T }
export type Given<K extends Key> = Part<"params", Api[K]["params"]> &
  OptionalQuery<Api[K]["query"]> &
  Part<"body", Api[K]["body"]>
type OptionalQuery<Q> = unknown extends Q ? object : object extends Q ? { readonly query?: Q } : { readonly query: Q }
export type Answer<K extends Key> = Api[K]["answer"]

/** Names an endpoint, as in `ask("GET /flows/:name", { params: { name } })`, and resolves to its answer. */
export async function ask<K extends Key>(key: K, given: Given<K>, signal?: AbortSignal): Promise<Answer<K>> {
  // Every part is optional in some endpoint; which of them this one has, its type has said.
  const { params = {}, query, body } = given as { params?: Values; query?: Values; body?: unknown }
  const [method = "GET", pattern = ""] = key.split(" ")
  const path = pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])))
  const headers: Record<string, string> = { accept: "application/json" }
  if (body !== undefined) headers["content-type"] = "application/json"
  if (method !== "GET" && csrf !== "") headers["x-csrf-token"] = csrf
  const init: RequestInit = { method, headers, credentials: "same-origin" }
  if (signal) init.signal = signal
  if (body !== undefined) init.body = JSON.stringify(body)
  const answer = await send(urlOf(path, query), init, method === "GET" ? 2 : 0)
  if (answer.status === 204) return undefined as Answer<K>
  if (answer.ok) return (await answer.json()) as Answer<K>
  const problem = await readProblem(answer)
  if (problem.status === 401) for (const listener of signedOut) listener()
  throw new RequestProblem(problem)
}

type Values = Readonly<Record<string, unknown>>

export function urlOf(path: string, query: Values = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one))
  }
  const text = search.toString()
  return `/api/v1${path}${text && `?${text}`}`
}

/** Every request that changes something shows this; it comes with the session. */
export function setCsrf(token: string): void {
  csrf = token
}

/** Calls back whenever the server does not know the browser any more. */
export function onSignedOut(listener: () => void): () => void {
  signedOut.add(listener)
  return () => signedOut.delete(listener)
}

let csrf = ""
const signedOut = new Set<() => void>()

/** Reading is tried again when the way to the server breaks; nothing else is. */
async function send(url: string, init: RequestInit, retries: number): Promise<Response> {
  for (let nth = 0; ; nth++) {
    try {
      const answer = await fetch(url, init)
      if (nth >= retries || ![502, 503, 504].includes(answer.status)) return answer
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      if (nth >= retries) throw new RequestProblem(UNREACHABLE)
    }
    await new Promise((resolve) => setTimeout(resolve, 300 * 3 ** nth))
  }
}

const UNREACHABLE: Problem = {
  status: 0,
  title: "Cannot reach the server",
  hint: "Look at your network, and whether Headrace is running",
}
