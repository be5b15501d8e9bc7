import { Effect, Option } from "effect"
import { Flag, GlobalFlag } from "effect/cli"
import { isOpenToOthers, openCredentials, serverUrl } from "../remote/credentials.ts"
import { makeServerClient, type Server } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import { Secrets } from "../sources/secrets.ts"
import { problemText } from "./problem-text.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"

export const ServerFlag = GlobalFlag.Setting("server")({
  flag: Flag.String("server").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("Do it on this server (else HEADRACE_SERVER); empty: on this machine"),
    Flag.optional,
  ),
})

/** Address of the server that the call is about; undefined: this machine. */
export const serverAddress = Effect.gen(function* () {
  const { environment } = yield* Settings
  const text = Option.getOrUndefined(yield* ServerFlag) ?? environment.HEADRACE_SERVER ?? ""
  if (text === "") return undefined
  const url = serverUrl(text)
  if (url !== undefined) return url
  // A password may stand in it.
  const shown = text.includes("@") ? "What is given" : `"${text}"`
  return yield* usage(`${shown} is not the address of a server`, "Write https://HOST or http://HOST:PORT")
})

/** The server that the call is about; undefined: this machine. */
export const theServer = Effect.gen(function* () {
  const url = yield* serverAddress
  if (url === undefined) return undefined
  yield* warnIfOpen(url)
  const { environment } = yield* Settings
  const token = nonEmpty(environment.HEADRACE_TOKEN) ?? (yield* credentials).find(url)?.token
  if (token === undefined) return makeServerClient({ url })
  const secrets = yield* Secrets
  secrets.add(token)
  return makeServerClient({ url, token })
})

/** Does it on this machine, or on the server that the call names. */
export const hereOr = Effect.fnUntraced(function* <A, E, R, B, F, S>(
  here: Effect.Effect<A, E, R>,
  there: (server: Server) => Effect.Effect<B, F, S>,
) {
  const server = yield* theServer
  return server === undefined ? yield* here : yield* there(server)
})

/** For what there is on servers only. */
export const aServer = Effect.gen(function* () {
  return (yield* theServer) ?? (yield* noServer)
})

export const noServer = usage("This needs a server", "Name it with --server URL, or in HEADRACE_SERVER")

/** Refuses `--server` for what makes a server; a variable that is set for other commands does no harm. */
export const notThere = Effect.fnUntraced(function* (what: string) {
  if (Option.getOrElse(yield* ServerFlag, () => "") === "") return
  return yield* usage(`${what} works on the machine of the server itself`, "Leave --server away")
})

/** Refuses options that servers do not know, where one was given. */
export const refuseGiven = Effect.fnUntraced(function* (given: Readonly<Record<string, unknown>>, hint?: string) {
  for (const [name, value] of Object.entries(given)) {
    const isGiven = Option.isOption(value) ? Option.isSome(value) : value === true
    if (isGiven) return yield* usage(`Option --${name} does not work on a server`, hint)
  }
})

/** What is known of servers, where a file that cannot be read is told as such. */
export const credentials = Effect.gen(function* () {
  const { home } = yield* Settings
  const file = openCredentials(home)
  const told = <A>(work: () => A) =>
    Effect.try({ try: work, catch: (error) => usage(error instanceof Error ? error.message : String(error)) })
  // Read once, so that what is wrong with it is found before anything is done.
  yield* told(() => file.find(""))
  return file
})

export const warnIfOpen = Effect.fnUntraced(function* (url: string) {
  if (!isOpenToOthers(url)) return
  const { say, style } = yield* Screen
  const message = `"${url}" is not encrypted: others on the way can read what is sent, the token too`
  say(problemText({ message, hint: "Use https" }, "warning", style))
})

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text
}
