import { and, asc, eq, isNull, lt } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { hashOf, makeId, makeSecret } from "../id.ts"
import { RateLimits } from "../rate-limits.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { Vault } from "../sources/vault.ts"
import { type SignatureFault, signatureFault } from "./signature.ts"

export interface TriggerDraft {
  readonly name: string
  /** Requests have to be signed with a secret of their own, besides the token. */
  readonly signed: boolean
  readonly replayWindowMs: number
  readonly requestsPerMinute: number
  readonly environment: "prod" | "dev"
}

export interface ShownTrigger extends TriggerDraft {
  readonly id: string
  /** Name of the flow that it starts, and no other. */
  readonly flow: string
  /** First characters of its token. */
  readonly prefix: string
  readonly owner: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

/** A trigger with what is shown this once only. */
export interface NewTrigger {
  readonly trigger: ShownTrigger
  readonly token: string
  readonly signingSecret: string | null
}

/** A request that a trigger has sent. */
export interface TriggerRequest {
  /** Of the header `x-headrace-signature`. */
  readonly signature: string | null
  /** To the letter. */
  readonly body: string
}

type Failure = RequestError | StoreError

/** Tokens that start one flow each by HTTP, and nothing else. Only their hashes are kept. */
export class Triggers extends Context.Service<
  Triggers,
  {
    list(flow: string): Effect.Effect<readonly ShownTrigger[], Failure>
    create(actor: Actor, flow: string, draft: TriggerDraft): Effect.Effect<NewTrigger, Failure>
    /** Another token, and another secret where requests are signed; the old ones are void at once. */
    rotate(actor: Actor, id: string): Effect.Effect<NewTrigger, Failure>
    revoke(actor: Actor, id: string): Effect.Effect<void, Failure>
    /** Whoever shows the token, as an actor that may start and watch that one flow. */
    recognise(token: string, address: string): Effect.Effect<Actor, Failure>
    /** Refuses a request to start the flow that comes too often, or that is not signed as it has to be. */
    admit(actor: Actor, request: TriggerRequest): Effect.Effect<void, Failure>
    /** Seals the secrets anew; resolves to how many there were. */
    reseal(): Effect.Effect<number, Failure>
  }
>()("core/server/triggers/Triggers") {
  static readonly layer = Layer.effect(
    Triggers,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const library = yield* FlowLibrary
      const vault = yield* Vault
      const audit = yield* AuditLog
      const limits = yield* RateLimits

      const find = Effect.fnUntraced(function* (id: string) {
        const [found] = yield* database.read((queries) => selected(queries, eq(queries.tables.triggers.id, id)))
        if (found === undefined) return yield* refuse("missing", `There is no trigger "${id}"`)
        return found
      })

      const recorded = (actor: Actor, action: string, { id, name, flow }: ShownTrigger) =>
        audit.record(actor, { action, subject: { kind: "trigger", id, name }, detail: { flow } })

      const list = Effect.fnUntraced(function* (flow: string) {
        const { id } = yield* library.get(flow)
        const rows = yield* database.read((queries) => selected(queries, eq(queries.tables.triggers.flow, id)))
        return rows.map(shown)
      })

      /** What only its holder knows, and what is kept of it. */
      const secretsFor = Effect.fnUntraced(function* (id: string, signed: boolean) {
        const token = makeSecret(TOKEN)
        const signingSecret = signed ? makeSecret("hrs") : null
        const hash = yield* Effect.promise(() => hashOf(token))
        const sealed = signingSecret === null ? null : yield* vault.seal(signingSecret, placeOf(id))
        return { token, signingSecret, kept: { hash, prefix: token.slice(0, PREFIX), signingSecret: sealed } }
      })

      const create = Effect.fnUntraced(function* (actor: Actor, flowName: string, draft: TriggerDraft) {
        const flow = yield* library.get(flowName)
        const now = yield* Clock.currentTimeMillis
        const id = makeId(now)
        const { token, signingSecret, kept } = yield* secretsFor(id, draft.signed)
        const { name, replayWindowMs, requestsPerMinute, environment } = draft
        const row = {
          ...{ id, flow: flow.id, name, ...kept, replayWindowMs, requestsPerMinute, environment },
          ...{ owner: actor.account, createdAt: now, lastUsedAt: null, revokedAt: null },
        }
        yield* database.write(async ({ insert, tables }) => void (await insert(tables.triggers).values(row)))
        const trigger = shown({ trigger: row, flow: flowName })
        yield* recorded(actor, "trigger.created", trigger)
        return { trigger, token, signingSecret }
      })

      const rotate = Effect.fnUntraced(function* (actor: Actor, id: string) {
        const before = yield* find(id)
        if (before.trigger.revokedAt !== null) return yield* refuse("conflict", "This trigger was revoked")
        const { token, signingSecret, kept } = yield* secretsFor(id, before.trigger.signingSecret !== null)
        yield* database.write(
          async ({ update, tables: { triggers } }) =>
            void (await update(triggers).set(kept).where(eq(triggers.id, id))),
        )
        const trigger = shown(yield* find(id))
        yield* recorded(actor, "trigger.rotated", trigger)
        return { trigger, token, signingSecret }
      })

      const revoke = Effect.fnUntraced(function* (actor: Actor, id: string) {
        const before = yield* find(id)
        const revokedAt = yield* Clock.currentTimeMillis
        const revoked = yield* database.write(({ update, tables: { triggers } }) =>
          update(triggers)
            .set({ revokedAt })
            .where(and(eq(triggers.id, id), isNull(triggers.revokedAt)))
            .returning({ id: triggers.id }),
        )
        if (revoked.length > 0) yield* recorded(actor, "trigger.revoked", shown(before))
      })

      /** A signature is good once: whoever has overheard it cannot send it again. */
      const useSignature = Effect.fnUntraced(function* (trigger: string, signature: string, expiresAt: number) {
        return yield* database.write(async ({ insert, delete: remove, tables: { usedSignatures } }) => {
          const now = expiresAt - MOST_WINDOW_MS
          await remove(usedSignatures).where(lt(usedSignatures.expiresAt, now))
          const used = await insert(usedSignatures)
            .values({ trigger, signature, expiresAt })
            .onConflictDoNothing()
            .returning({ trigger: usedSignatures.trigger })
          return used.length > 0
        })
      })

      const checkSignature = Effect.fnUntraced(function* (trigger: Kept, request: TriggerRequest, now: number) {
        if (trigger.signingSecret === null) return
        const secret = yield* vault.open(trigger.signingSecret, placeOf(trigger.id))
        const { signature, body } = request
        const check = { secret, body, nowMs: now, windowMs: trigger.replayWindowMs }
        const fault = yield* Effect.promise(() => signatureFault(signature, check))
        if (fault !== undefined) return yield* refuse("unauthenticated", FAULTS[fault])
        if (!(yield* useSignature(trigger.id, signature ?? "", now + MOST_WINDOW_MS)))
          return yield* refuse("unauthenticated", "This signature was used already: sign each request anew")
      })

      const recognise = Effect.fnUntraced(function* (token: string, address: string) {
        const hash = yield* Effect.promise(() => hashOf(token))
        const [found] = yield* database.read((queries) => selected(queries, eq(queries.tables.triggers.hash, hash)))
        if (found === undefined || found.trigger.revokedAt !== null)
          return yield* refuse("unauthenticated", "This trigger token is unknown or was revoked")
        const { id, name, owner, flow } = found.trigger
        return {
          ...{ kind: "trigger" as const, id, name, account: owner, role: "operator" as const },
          ...{ scopes: ["runs.start", "runs.read"], flow, address },
        }
      })

      const admit = Effect.fnUntraced(function* ({ id }: Actor, request: TriggerRequest) {
        const { trigger } = yield* find(id)
        const now = yield* Clock.currentTimeMillis
        const perMinute = trigger.requestsPerMinute
        const retryAfterMs = yield* limits.take(`trigger runs:${id}`, { perMinute, burst: Math.ceil(perMinute / 6) })
        if (retryAfterMs > 0)
          return yield* refuse("limited", `This trigger may start ${perMinute} runs a minute`, { retryAfterMs })
        yield* checkSignature(trigger, request, now)
        if ((trigger.lastUsedAt ?? 0) >= now - USE_PRECISION_MS) return
        yield* database.write(
          async ({ update, tables: { triggers } }) =>
            void (await update(triggers).set({ lastUsedAt: now }).where(eq(triggers.id, id))),
        )
      })

      const reseal = Effect.fnUntraced(function* () {
        const rows = yield* database.read(({ select, tables: { triggers } }) => select().from(triggers))
        const old = rows.filter(({ signingSecret }) => signingSecret !== null && vault.isOld(signingSecret))
        for (const { id, signingSecret: before } of old) {
          const secret = yield* vault.open(before!, placeOf(id))
          const signingSecret = yield* vault.seal(secret, placeOf(id))
          yield* database.write(
            async ({ update, tables: { triggers } }) =>
              void (await update(triggers)
                .set({ signingSecret })
                .where(and(eq(triggers.id, id), eq(triggers.signingSecret, before!)))),
          )
        }
        return old.length
      })

      return Triggers.of({ list, create, rotate, revoke, recognise, admit, reseal })
    }),
  )
}

/** What every trigger's token begins with. */
export const TOKEN = "hrk"

type Kept = Awaited<ReturnType<typeof selected>>[number]["trigger"]

function selected({ select, tables: { triggers, flows } }: Queries, where: ReturnType<typeof eq>) {
  return select({ trigger: triggers, flow: flows.name })
    .from(triggers)
    .innerJoin(flows, eq(flows.id, triggers.flow))
    .where(where)
    .orderBy(asc(triggers.id))
}

function shown({ trigger, flow }: { readonly trigger: Kept; readonly flow: string }): ShownTrigger {
  const { hash: _, signingSecret, ...rest } = trigger
  return { ...rest, flow, signed: signingSecret !== null }
}

function placeOf(id: string): string {
  return `trigger ${id}`
}

const FAULTS: Readonly<Record<SignatureFault, string>> = {
  missing: 'This trigger takes signed requests only: the header "x-headrace-signature" is missing',
  malformed: 'Cannot read the header "x-headrace-signature": it is t=<unix seconds>,v1=<hex of HMAC-SHA256>',
  stale: "The signature is too old, or from the future: check the clock of the sender",
  wrong: "The signature is not right: sign <t>.<body> with the trigger's signing secret",
}
const PREFIX = 10
const USE_PRECISION_MS = 60_000
/** No window is wider. */
export const MOST_WINDOW_MS = 3_600_000
