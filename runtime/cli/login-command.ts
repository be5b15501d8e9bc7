import { hostname } from "node:os"
import process from "node:process"
import { text } from "node:stream/consumers"
import { Clock, Effect, Option, Redacted } from "effect"
import { Command, Flag, Prompt } from "effect/cli"
import { makeServerClient } from "../remote/server-client.ts"
import { signIn } from "../remote/sign-in.ts"
import { Secrets } from "../sources/secrets.ts"
import { exitCodes, Stop } from "./exit-code.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { credentials, noServer, serverAddress, warnIfOpen } from "./server-flag.ts"
import { printable } from "./text-table.ts"

export const loginCommand = Command.make(
  "login",
  {
    user: Flag.String("user").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Name to sign in with; without it, it is asked for"),
      Flag.optional,
    ),
    tokenStdin: Flag.Boolean("token-stdin").pipe(
      Flag.withDescription("Read an API token from the standard input, and ask for nothing"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
  },
  Effect.fnUntraced(function* ({ user, tokenStdin }) {
    const screen = yield* Screen
    const url = (yield* serverAddress) ?? (yield* noServer)
    yield* warnIfOpen(url)
    const file = yield* credentials
    const former = file.find(url)?.tokenId
    const found = yield* tokenStdin ? broughtToken(url) : newToken(url, user, former)
    file.keep(url, found)
    screen.say(`signed in at ${url} as ${printable(found.user)}`)
  }),
).pipe(
  Command.withDescription(
    "Sign in at a server: asks for name and password, and keeps an API token for this machine, which ends after 90 days. The password is not kept.",
  ),
  Command.withShortDescription("Sign in at a server"),
  Command.withExamples([
    { command: "headrace login --server https://headrace.example", description: "Asks for name and password" },
    { command: "headrace login --token-stdin < token", description: "For programs; the server is in HEADRACE_SERVER" },
  ]),
)

export const logoutCommand = Command.make(
  "logout",
  {},
  Effect.fnUntraced(function* () {
    const screen = yield* Screen
    const url = (yield* serverAddress) ?? (yield* noServer)
    const file = yield* credentials
    const token = file.find(url)?.token
    if (token === undefined) return screen.say(`nobody is signed in at ${url}`)
    const secrets = yield* Secrets
    secrets.add(token)
    const revoked = makeServerClient({ url, token }).call("DELETE /me/token")
    // A token that is void already is as good as revoked.
    yield* Effect.catchIf(
      revoked,
      ({ status }) => status === 401,
      () => Effect.void,
    )
    file.forget(url)
    screen.say(`signed out at ${url}`)
  }),
).pipe(
  Command.withDescription("Sign out at a server: revokes the token of this machine, and forgets it."),
  Command.withShortDescription("Sign out at a server"),
)

const newToken = Effect.fnUntraced(function* (url: string, user: Option.Option<string>, former?: string) {
  if (process.stdin.isTTY !== true)
    return yield* usage("Cannot ask for a password: there is no terminal", "Bring an API token with --token-stdin")
  const asked = Effect.gen(function* () {
    const name = Option.isSome(user) ? user.value : yield* Prompt.run(Prompt.String({ message: "Name" }))
    return { name, password: yield* Prompt.run(Prompt.Hidden({ message: "Password" })) }
  })
  const { name, password } = yield* Effect.mapError(asked, () => new Stop({ code: exitCodes.cancelled }))
  const secrets = yield* Secrets
  secrets.add(Redacted.value(password))
  const now = yield* Clock.currentTimeMillis
  const made = yield* signIn({
    ...{ url, name, password: Redacted.value(password), title: titleOf(hostname()), expiresAt: now + TOKEN_MS },
    ...(former === undefined ? {} : { former }),
  })
  secrets.add(made.token)
  return made
})

const broughtToken = Effect.fnUntraced(function* (url: string) {
  const token = (yield* Effect.promise(() => text(process.stdin))).trim()
  if (!/^[\x21-\x7e]{1,500}$/.test(token))
    return yield* usage("There is no API token on the standard input", "Make one on the page of your account")
  const secrets = yield* Secrets
  secrets.add(token)
  const { displayName } = yield* makeServerClient({ url, token }).call("GET /me")
  return { token, user: displayName }
})

/** What the server takes for a title: one line. */
function titleOf(machine: string): string {
  return `headrace on ${machine.replaceAll(/[^\w.-]/g, "-").slice(0, 80)}`
}

const TOKEN_MS = 90 * 86_400_000
