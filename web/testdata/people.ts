import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Logger, ManagedRuntime } from "effect"
import { TestClock } from "effect/testing"
import { ApiTokens } from "../../core/server/access/api-tokens.ts"
import { Authentication, Authenticators } from "../../core/server/access/authentication.ts"
import { LoginThrottle } from "../../core/server/access/login-throttle.ts"
import { PasswordHashing } from "../../core/server/access/password-hashing.ts"
import { Sessions } from "../../core/server/access/sessions.ts"
import { SignIn } from "../../core/server/access/sign-in.ts"
import { Users } from "../../core/server/access/users.ts"
import { AuditLog } from "../../core/server/audit.ts"
import { AuditTrail } from "../../core/server/audit-trail.ts"
import { RateLimits } from "../../core/server/rate-limits.ts"
import { ServerSettings } from "../../core/server/settings.ts"
import { StoreDatabase } from "../../core/store/database.ts"
import type { StoreError } from "../../core/store/store-error.ts"
import { makeHashing } from "../../runtime/server/password.ts"
import { sqliteDatabaseLayer } from "../../runtime/store/sqlite-database.ts"
import { administrationEndpoints } from "../api/administration.ts"
import { meEndpoints } from "../api/me.ts"
import { sessionEndpoints } from "../api/session.ts"
import { userEndpoints } from "../api/users.ts"
import { makeApp } from "../app.ts"

export const peopleEndpoints = [
  ...sessionEndpoints,
  ...meEndpoints,
  ...userEndpoints,
  ...administrationEndpoints,
] as const

export const PASSWORD = "a sail of seven seams"

/** Argon2id as on a server, with less work. */
function cheapHashing(verified: string[]) {
  const hashing = makeHashing({
    hash: (password) => Bun.password.hash(password, { algorithm: "argon2id", memoryCost: 64, timeCost: 1 }),
    verify(password, hash) {
      verified.push(hash)
      return Bun.password.verify(password, hash)
    },
  })
  return Layer.succeed(PasswordHashing, { ...hashing, isOld: () => false })
}

function newSqlite(): Layer.Layer<StoreDatabase, StoreError> {
  return sqliteDatabaseLayer(join(mkdtempSync(join(tmpdir(), "headrace-")), "store.db"))
}

/** Everything about people on a real store, with a clock that stands still until it is told to go on. */
export async function startPeople(database = newSqlite()) {
  const logged: string[] = []
  const verified: string[] = []
  const logger = Logger.make(({ message, cause }) => void logged.push(Bun.inspect({ message, cause })))
  const layer = Layer.mergeAll(SignIn.layer, Users.layer, Authentication.layer, AuditTrail.layer).pipe(
    Layer.provideMerge(Authenticators.layerOfTokens),
    Layer.provideMerge(Layer.mergeAll(ApiTokens.layer, Sessions.layer, LoginThrottle.layer)),
    Layer.provideMerge(ServerSettings.layer),
    Layer.provideMerge(Layer.mergeAll(AuditLog.layer, RateLimits.layer, cheapHashing(verified))),
    Layer.provideMerge(database),
    Layer.provideMerge(Layer.mergeAll(TestClock.layer(), Logger.layer([logger]))),
  )
  const runtime = ManagedRuntime.make(layer)
  let peer = "192.0.2.7"
  const app = makeApp({
    runtime,
    endpoints: peopleEndpoints,
    peerOf: () => peer,
  })
  const invited = await runtime.runPromise(SignIn.use(({ inviteFirst }) => inviteFirst))

  const ask: Ask = async (method, path, body, headers = {}) =>
    app.request(`http://localhost/api/v1${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })

  return {
    app,
    runtime,
    logged,
    /** Hashes that passwords were compared with. */
    verified,
    setupSecret: invited?.secret ?? "",
    comeFrom: (address: string) => void (peer = address),
    wait: (duration: `${number} ${"seconds" | "minutes" | "hours" | "days"}`) =>
      runtime.runPromise(TestClock.adjust(duration)),
    ask,
    /** Everything that the store keeps, as text. */
    stored: () =>
      runtime.runPromise(
        StoreDatabase.use((database) =>
          database.read(async ({ select, tables: { users, sessions, apiTokens, invitations, auditLog, settings } }) =>
            JSON.stringify(await Promise.all([users, sessions, apiTokens, invitations, auditLog, settings].map((table) => select().from(table)))),
          ),
        ),
      ),
    audit: () =>
      runtime.runPromise(
        Effect.map(
          AuditTrail.use((trail) => trail.list({ limit: 200 })),
          ({ items }) => items,
        ),
      ),
    /** Makes the first administrator. */
    async begin() {
      const draft = { secret: invited?.secret, name: "ada", displayName: "Ada", password: PASSWORD }
      return new Browser(ask, await ask("POST", "/setup", draft))
    },
    async signIn(name: string, password = PASSWORD) {
      return new Browser(ask, await ask("POST", "/session", { name, password }))
    },
    /** Makes a user with a password. */
    async join(admin: Browser, name: string, role: string) {
      const made = await (await admin.ask("POST", "/users", { name, displayName: name, role })).json()
      const secret = made.invitation.path.split("#")[1]
      return new Browser(ask, await ask("POST", "/invitations", { secret, password: PASSWORD }), made.user.id)
    },
  }
}

/** Sends a request to the application. */
type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>

export type People = Awaited<ReturnType<typeof startPeople>>

/** What a browser remembers of an answer that signs in. */
export class Browser {
  readonly #ask: Ask
  readonly answer: Response
  readonly cookie: string
  readonly id: string
  #csrf: string | undefined

  constructor(ask: Ask, answer: Response, id = "") {
    this.#ask = ask
    this.answer = answer
    this.id = id
    this.cookie = /^[\w-]+=[^;]*/.exec(answer.headers.get("set-cookie") ?? "")?.[0] ?? ""
  }

  async csrf(): Promise<string> {
    this.#csrf ??= (await (await this.ask("GET", "/me")).json()).csrf as string
    return this.#csrf
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const csrf = method === "GET" ? {} : { "x-csrf-token": await this.csrf() }
    return this.#ask(method, path, body, { cookie: this.cookie, ...csrf, ...headers })
  }

  async makeToken(scopes: readonly string[], expiresAt: number | null = null) {
    const made = await (await this.ask("POST", "/me/tokens", { name: "robot", scopes, expiresAt })).json()
    return { id: made.token.id as string, bearer: { authorization: `Bearer ${made.secret}` }, secret: made.secret as string }
  }
}
