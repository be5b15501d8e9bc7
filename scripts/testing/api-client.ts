import type { Served } from "./served.ts"

/** What an endpoint has answered. */
export interface Answer<A = Record<string, unknown>> {
  readonly status: number
  readonly body: A
  readonly headers: Headers
}

/** Somebody who is signed in at a server, as a browser is: with a cookie, and the token that shows it is meant. */
export class ApiClient {
  readonly url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.url = url
    this.#headers = headers
  }

  /** Makes the first administrator by the link that the server has printed. */
  static async setUp({ url, setupSecret }: Served): Promise<ApiClient> {
    const draft = { secret: setupSecret, name: "ada", displayName: "Ada", password: PASSWORD }
    return signedIn(url, await new ApiClient(url, {}).call("POST /setup", draft))
  }

  static async signIn(url: string, name = "ada", password = PASSWORD): Promise<ApiClient> {
    return signedIn(url, await new ApiClient(url, {}).call("POST /session", { name, password }))
  }

  /** Somebody with a bearer token. */
  static bearer(url: string, token: string): ApiClient {
    return new ApiClient(url, { authorization: `Bearer ${token}` })
  }

  /** `route` is such as `GET /flows`. Answers that are no JSON are given as text. */
  async call<A = Record<string, unknown>>(route: string, body?: unknown, headers = {}): Promise<Answer<A>> {
    const response = await this.open(route, body, headers)
    const text = await response.text()
    const isJson = /json/.test(response.headers.get("content-type") ?? "")
    return { status: response.status, body: (isJson ? JSON.parse(text) : text) as A, headers: response.headers }
  }

  /** The same, for what has to succeed: gives the answer, and fails with what was said otherwise. */
  async done<A = Record<string, unknown>>(route: string, body?: unknown, headers = {}): Promise<A> {
    const answer = await this.call<A>(route, body, headers)
    if (answer.status >= 200 && answer.status < 300) return answer.body
    throw new Error(`${route} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  }

  open(route: string, body?: unknown, headers = {}): Promise<Response> {
    const [method = "GET", path = ""] = route.split(" ")
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }
    const typed = body === undefined ? {} : { "content-type": "application/json" }
    return fetch(`${this.url}/api/v1${path}`, { method, headers: { ...this.#headers, ...typed, ...headers }, ...sent })
  }
}

function signedIn(url: string, { status, body, headers }: Answer): ApiClient {
  if (status !== 201) throw new Error(`Nobody could sign in: ${status} ${JSON.stringify(body)}`)
  const cookie = headers.getSetCookie()[0]?.split(";")[0] ?? ""
  return new ApiClient(url, { cookie, "x-csrf-token": String(body.csrf) })
}

const PASSWORD = "seventeen violet lanterns"
