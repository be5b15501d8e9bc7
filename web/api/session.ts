import { Effect, Schema } from "effect"
import { type Actor, may } from "../../core/server/access/actor.ts"
import { allPermissions } from "../../core/server/access/permission.ts"
import { Sessions } from "../../core/server/access/sessions.ts"
import { type SignedIn, SignIn } from "../../core/server/access/sign-in.ts"
import { actorOf } from "../../core/server/access/user-shape.ts"
import { setCookie } from "../frame/cookie.ts"
import { type Asked, endpoint } from "./endpoint.ts"
import { DisplayName, LinkSecret, Me, Password, UserName } from "./people.ts"

const setupState = endpoint({
  method: "GET",
  path: "/setup",
  tag: "Sign-in",
  summary: "Tells whether the first administrator is still missing.",
  permission: "anybody",
  answer: Schema.Struct({ needed: Schema.Boolean }),
  handle: () =>
    Effect.map(
      SignIn.use(({ isEmpty }) => isEmpty),
      (needed) => ({ needed }),
    ),
})

const setup = endpoint({
  method: "POST",
  path: "/setup",
  tag: "Sign-in",
  summary: "Makes the first administrator and signs them in.",
  description: "The server prints a link when it starts on an empty store; the secret stands behind its `#`.",
  permission: "anybody",
  refusals: ["unauthenticated", "conflict"],
  body: Schema.Struct({ secret: LinkSecret, name: UserName, displayName: DisplayName, password: Password }),
  answer: Me,
  status: 201,
  handle: Effect.fnUntraced(function* (asked) {
    const { secret, ...draft } = asked.body
    const signIn = yield* SignIn
    return welcome(asked, yield* signIn.setUp(secret, draft, clientOf(asked)))
  }),
})

const signIn = endpoint({
  method: "POST",
  path: "/session",
  tag: "Sign-in",
  summary: "Signs in, and sets the cookie of a new session.",
  permission: "anybody",
  refusals: ["unauthenticated", "limited", "unavailable"],
  body: Schema.Struct({ name: Schema.String.check(Schema.isMaxLength(256)), password: Password }),
  answer: Me,
  status: 201,
  handle: Effect.fnUntraced(function* (asked) {
    const signIn = yield* SignIn
    return welcome(asked, yield* signIn.signIn(asked.body.name, asked.body.password, clientOf(asked)))
  }),
})

const signOut = endpoint({
  method: "DELETE",
  path: "/session",
  tag: "Sign-in",
  summary: "Ends the session that asks.",
  permission: "in-person",
  answer: Schema.Void,
  status: 204,
  handle: Effect.fnUntraced(function* ({ actor, session, reply, isSecure }) {
    const sessions = yield* Sessions
    if (session !== undefined) yield* sessions.end(actor, session.id)
    reply.headers.append("set-cookie", setCookie(undefined, isSecure))
    reply.headers.set("clear-site-data", '"cache", "storage"')
  }),
})

const acceptInvitation = endpoint({
  method: "POST",
  path: "/invitations",
  tag: "Sign-in",
  summary: "Chooses a password by the link of an invitation, and signs in.",
  permission: "anybody",
  refusals: ["unauthenticated"],
  body: Schema.Struct({ secret: LinkSecret, password: Password }),
  answer: Me,
  status: 201,
  handle: Effect.fnUntraced(function* (asked) {
    const signIn = yield* SignIn
    return welcome(asked, yield* signIn.acceptInvitation(asked.body.secret, asked.body.password, clientOf(asked)))
  }),
})

export const sessionEndpoints = [setupState, setup, signIn, signOut, acceptInvitation] as const

export function clientOf({ address, request }: Pick<Asked<unknown, unknown, unknown>, "address" | "request">) {
  return { address, agent: request.headers.get("user-agent") ?? "" }
}

/** Hands the session to the browser. */
export function welcome(
  { address, reply, isSecure }: Pick<Asked<unknown, unknown, unknown>, "address" | "reply" | "isSecure">,
  { user, session }: SignedIn,
): typeof Me.Type {
  const seconds = Math.floor((session.expiresAt - (user.lastLoginAt ?? session.expiresAt)) / 1000)
  reply.headers.append("set-cookie", setCookie(session.secret, isSecure, seconds))
  return meOf(actorOf(user, address), user.displayName, session.csrf)
}

export function meOf(actor: Actor, displayName: string, csrf?: string): typeof Me.Type {
  const { kind, id, name, role } = actor
  return {
    kind: kind as "user", // strangers and the server itself do not ask for this
    id,
    name,
    displayName,
    role,
    permissions: allPermissions.filter((permission) => may(actor, permission)),
    ...(csrf === undefined ? {} : { csrf }),
  }
}
