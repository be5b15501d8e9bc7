import { Context, type Effect, Layer } from "effect"
import type { StoreError } from "../../store/store-error.ts"
import type { Actor } from "../access/actor.ts"
import type { RequestError } from "../request-error.ts"
import type { HostPolicy } from "./host-policy.ts"
import { makeSourceRegistry } from "./make-source-registry.ts"

/** A data source as people see it: secrets are told only to be there. */
export interface ShownSource {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly description: string
  readonly prod: Readonly<Record<string, unknown>>
  readonly dev?: Readonly<Record<string, unknown>>
  /** Names of the options that hold a secret, by environment. */
  readonly secrets: { readonly prod: readonly string[]; readonly dev: readonly string[] }
  readonly concurrency: number | null
  readonly owner: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly updatedBy: string
  /** Whether the one who asks may. */
  readonly canRead: boolean
  readonly canWrite: boolean
}

/** What is saved. A secret that is left out stays what it was; an empty one is removed. */
export interface SourceDraft {
  readonly name: string
  readonly type: string
  readonly description: string
  readonly prod: Readonly<Record<string, unknown>>
  readonly dev?: Readonly<Record<string, unknown>>
  readonly concurrency: number | null
}

/** What flows do to a data source. */
export interface SourceUse {
  readonly name: string
  readonly access: "read" | "write"
}

/** A data source as a worker needs it, secrets in clear. It goes nowhere but to a worker. */
export interface OpenSource {
  readonly name: string
  readonly type: string
  /** Checked, with every default filled in. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Values that no message may carry. */
  readonly secrets: readonly string[]
  /** To be asked again, by `hostRefusal`, once the name of the host is resolved. */
  readonly hosts: HostPolicy
}

type Failure = RequestError | StoreError

/** The data sources of the server, with who may use them. */
export class SourceRegistry extends Context.Service<
  SourceRegistry,
  {
    /** Those that the actor owns or has a grant for; administrators see all. Others are `missing` for him. */
    list(actor: Actor): Effect.Effect<readonly ShownSource[], Failure>
    get(actor: Actor, name: string): Effect.Effect<ShownSource, Failure>
    create(actor: Actor, draft: SourceDraft): Effect.Effect<ShownSource, Failure>
    /**
     * `version` is the one that was edited; another one is there by now: `conflict` with what it is. Its owner may, and
     * whoever may grant. Secrets that are left out must be entered again where the address has changed.
     */
    update(actor: Actor, name: string, version: number, draft: SourceDraft): Effect.Effect<ShownSource, Failure>
    /** The flows that use it, in their newest version. */
    flows(actor: Actor, name: string): Effect.Effect<readonly SourceFlow[], Failure>
    /** Refused while flows use it; they are named. */
    remove(actor: Actor, name: string, version: number): Effect.Effect<void, Failure>
    /** Refuses uses that the account has no valid grant for, all of them at once. The system may everything. */
    authorize(account: string, uses: readonly SourceUse[]): Effect.Effect<void, Failure>
    /** Opens sources for a worker; unknown ones are refused by name, so are places that the administrator forbids. */
    open(names: readonly string[], environment: "prod" | "dev"): Effect.Effect<readonly OpenSource[], Failure>
    /** Settings of a draft that was not saved, completed by the secrets that are kept under its name: for a test. */
    openDraft(actor: Actor, draft: SourceDraft, environment: "prod" | "dev"): Effect.Effect<OpenSource, Failure>
    grants(actor: Actor, name: string): Effect.Effect<readonly Grant[], Failure>
    /** Here and in `revoke` a user may also be called by name. */
    grant(actor: Actor, name: string, grant: Pick<Grant, "user" | "access" | "expiresAt">): Effect.Effect<void, Failure>
    revoke(actor: Actor, name: string, user: string, access: "read" | "write"): Effect.Effect<void, Failure>
    /** Seals every secret anew under the present master key; resolves to how many there were. */
    reseal(actor: Actor): Effect.Effect<number, Failure>
  }
>()("core/server/sources/SourceRegistry") {
  static readonly layer = Layer.effect(SourceRegistry, makeSourceRegistry)
}

export interface SourceFlow {
  readonly flow: string
  readonly access: "read" | "write"
}

export interface Grant {
  /** Id of the user. */
  readonly user: string
  readonly name: string
  readonly access: "read" | "write"
  readonly grantedBy: string
  readonly createdAt: number
  readonly expiresAt: number | null
}
