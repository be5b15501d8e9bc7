import { Effect } from "effect"
import type { ConfigSchema } from "../../contract/index.ts"
import type { FlowProblem } from "../../flow/problem.ts"
import { decodeConfig } from "../../host/config.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { References, referenceOf } from "./references.ts"
import { isObject, mapSecrets, type Options, secretsOf, textsIn, withOption } from "./secret-options.ts"
import { addressOf, placeSettings, SourcePolicy } from "./source-policy.ts"
import { Vault } from "./vault.ts"

/** Where a set of options stands; secrets are sealed to it. */
export interface SettingsPlace {
  /** Id of the data source. */
  readonly id: string
  readonly environment: "prod" | "dev"
  readonly schema: ConfigSchema
}

/** Options in clear, checked, with every default. */
export interface OpenSettings {
  readonly settings: Options
  readonly secrets: readonly string[]
}

interface Entered {
  readonly settings: unknown
  /** What is kept so far, sealed; secrets that are left out are taken from it. */
  readonly kept?: Options | undefined
  /** Whether it may refer to the environment and the files of the server. */
  readonly mayRefer: boolean
}

/** Options as somebody enters them, made ready to be kept and to be used; every problem at once. */
export const enterSettings = Effect.fnUntraced(function* (place: SettingsPlace, entered: Entered) {
  const vault = yield* Vault
  const { schema, environment } = place
  const { settings } = entered
  if (!isObject(settings))
    return yield* wrong(environment, [{ message: `The settings of ${environment} are no object` }])
  if (textsIn(settings).some(vault.isSealed))
    return yield* wrong(environment, [{ message: "Sealed text cannot be entered", hint: "Enter the secret itself" }])
  if (!entered.mayRefer && hasReference(settings)) {
    const hint = "Enter the value; administrators may refer to it, and may allow it to others"
    return yield* wrong(environment, [{ message: "Options cannot refer to the server's environment or files", hint }])
  }
  // An empty secret is a removed one.
  const cleared = mapSecrets(schema, settings, (secret) => (secret === "" ? undefined : secret))
  const fresh = secretsOf(schema, settings)
  const kept = entered.kept === undefined ? new Map<string, unknown>() : secretsOf(schema, entered.kept)
  const left = [...kept].filter(([pointer]) => !fresh.has(pointer))
  const merged = left.reduce((options, [pointer, secret]) => withOption(options, pointer, secret), cleared)
  const open = yield* openSettings(place, merged)
  const taken = left.filter(([pointer]) => secretsOf(schema, merged).has(pointer)).map(([pointer]) => pointer)
  if (taken.length > 0 && entered.kept !== undefined) {
    const before = yield* Effect.result(openSettings(place, entered.kept))
    const isSame = before._tag === "Success" && bare(schema, before.success) === bare(schema, open)
    if (!isSame) {
      const hint = "Whoever changes where a connection leads must know its secrets"
      return yield* wrong(
        environment,
        taken.map((pointer) => ({
          pointer,
          message: `Enter "${pointer.slice(1).replaceAll("/", ".")}" again: the connection leads elsewhere now`,
          hint,
        })),
      )
    }
  }
  return { open, sealed: yield* sealSettings(place, merged) }
})

/** The address without its secrets. */
function bare(schema: ConfigSchema, { settings }: OpenSettings): string {
  return addressOf(mapSecrets(schema, settings, () => undefined))
}

/** Opens kept options; refused where the administrator's policy forbids where they lead. */
export const openSettings = Effect.fnUntraced(function* (
  place: SettingsPlace,
  kept: Options,
): Effect.fn.Return<OpenSettings, RequestError, Vault | References | SourcePolicy> {
  const policy = yield* (yield* SourcePolicy).current
  const { schema, environment } = place
  const unsealed = yield* unseal(place, kept)
  const { options, referred } = yield* resolve(unsealed, schema)
  const decoded = decodeConfig(schema, options)
  if ("problems" in decoded) return yield* wrong(environment, decoded.problems)
  const placed = placeSettings(policy, decoded.config)
  if ("problems" in placed) return yield* wrong(environment, placed.problems)
  const secrets = [...secretsOf(schema, placed.settings).values()].flatMap(textsIn)
  return {
    settings: placed.settings,
    secrets: [...new Set([...secrets, ...referred])].filter((secret) => secret !== ""),
  }
})

export function wrong(environment: "prod" | "dev", problems: readonly FlowProblem[]): RequestError {
  const placed = problems.map((problem) => ({ ...problem, pointer: `/${environment}${problem.pointer ?? ""}` }))
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""
  return refuse("invalid", `${first?.message ?? "The settings are wrong"}${more}`, { problems: placed })
}

/** What the seal of a secret is bound to. */
export function secretPlace({ id, environment }: Omit<SettingsPlace, "schema">, pointer: string): string {
  return `data source ${id}, ${environment}, option ${pointer}`
}

/** Seals the secrets that are in clear. They are kept as JSON, whatever they are. */
const sealSettings = Effect.fnUntraced(function* (place: SettingsPlace, options: Options) {
  const vault = yield* Vault
  const sealed = new Map<string, string>()
  for (const [pointer, secret] of secretsOf(place.schema, options)) {
    if (isSealed(vault, secret) || referenceOf(secret) !== undefined) continue
    sealed.set(pointer, yield* vault.seal(JSON.stringify(secret), secretPlace(place, pointer)))
  }
  return mapSecrets(place.schema, options, (secret, pointer) => sealed.get(pointer) ?? secret)
})

const unseal = Effect.fnUntraced(function* (place: SettingsPlace, options: Options) {
  const vault = yield* Vault
  const open = new Map<string, unknown>()
  for (const [pointer, secret] of secretsOf(place.schema, options)) {
    if (!isSealed(vault, secret)) continue
    const text = yield* vault.open(secret, secretPlace(place, pointer))
    open.set(pointer, JSON.parse(text)) // what was sealed here
  }
  return mapSecrets(place.schema, options, (secret, pointer) => (open.has(pointer) ? open.get(pointer) : secret))
})

function isSealed(vault: Vault["Service"], secret: unknown): secret is string {
  return typeof secret === "string" && vault.isSealed(secret)
}

/** Takes values from where options refer to; the environment knows only text. What is no number or choice may be secret. */
const resolve = Effect.fnUntraced(function* (options: Options, schema: ConfigSchema) {
  const references = yield* References
  const result = new Map(Object.entries(options))
  const referred: string[] = []
  for (const [option, value] of result) {
    const reference = referenceOf(value)
    if (reference === undefined || !Object.hasOwn(schema.properties, option)) continue
    const text = yield* references.resolve(reference)
    const property = schema.properties[option]
    const types = [property?.type].flat()
    const isNumber = types.includes("integer") || types.includes("number")
    const isFlag = types.includes("boolean") && /^(?:true|false)$/.test(text)
    result.set(option, isNumber && /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : isFlag ? text === "true" : text)
    if (result.get(option) === text && property?.enum === undefined) referred.push(text)
  }
  return { options: Object.fromEntries(result), referred }
})

function hasReference(options: Options): boolean {
  return Object.values(options).some((value) => referenceOf(value) !== undefined)
}
