import { Effect } from "effect"
import type { Api } from "../../web/api/index.ts"
import { answerOf, makeServerClient, ServerError } from "./server-client.ts"

export interface SignInRequest {
  readonly url: string
  readonly name: string
  readonly password: string
  /** What the token is called on the server. */
  readonly title: string
  /** In milliseconds since 1970. */
  readonly expiresAt: number
  /** Of a token that the new one takes the place of. */
  readonly former?: string
}

/** Signs in, makes a token for the command line and ends the session: the password is not needed any more. */
export const signIn = Effect.fnUntraced(function* (request: SignInRequest) {
  const { url, name, password, title, expiresAt, former } = request
  const client = makeServerClient({ url })
  const response = yield* client.open("POST /session", { body: { name, password } })
  const me = (yield* answerOf(response, url)) as Api["POST /session"]["answer"] // as it is declared
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0]
  if (cookie === undefined || me.csrf === undefined)
    return yield* new ServerError({ status: 0, message: `"${url}" has begun no session` })
  const headers = { cookie, "x-csrf-token": me.csrf }
  const made = Effect.gen(function* () {
    const made = yield* client.call("POST /me/tokens", { headers, body: { name: title, scopes: SCOPES, expiresAt } })
    if (former !== undefined)
      yield* client.call("DELETE /me/tokens/:id", { headers, params: { id: former } }).pipe(Effect.ignore)
    return made
  })
  const { secret, token } = yield* made.pipe(
    Effect.ensuring(Effect.ignore(client.call("DELETE /session", { headers }))),
  )
  return { token: secret, tokenId: token.id, user: me.displayName }
})

/** What commands of the command line need; the role of the user is the limit all the same. */
const SCOPES = ["flows.*", "runs.*", "quarantine.*", "sources.read", "components.read"] as const
