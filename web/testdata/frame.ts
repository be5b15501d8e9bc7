import { Effect, Layer, Logger, ManagedRuntime } from "effect"
import type { Actor } from "../../core/server/access/actor.ts"
import { Authentication } from "../../core/server/access/authentication.ts"
import { type AuditEntry, AuditLog } from "../../core/server/audit.ts"
import { RateLimits } from "../../core/server/rate-limits.ts"
import { refuse } from "../../core/server/request-error.ts"
import { ServerSettings, type Settings } from "../../core/server/settings.ts"
import type { AnyEndpoint, ServicesOf } from "../api/endpoint.ts"
import { type AppOptions, makeApp } from "../app.ts"
import type { FrameServices } from "../frame/admit.ts"

/** An application for tests of endpoints: whoever sends a role's name as bearer token has that role. */
export function testApp<E extends AnyEndpoint>(
  endpoints: readonly E[],
  services: Layer.Layer<Exclude<ServicesOf<E>, FrameServices>, unknown>,
  { settings = {}, ...more }: { readonly settings?: Partial<Settings> } & Partial<AppOptions<E>> = {},
) {
  const audit: (AuditEntry & { readonly actor: Actor })[] = []
  const frame = Layer.mergeAll(
    // What it says of faults that tests make is of no interest.
    Logger.layer([]),
    RateLimits.layer,
    ServerSettings.layerTest(settings),
    Layer.succeed(AuditLog, {
      record: (actor, entry) => Effect.sync(() => void audit.push({ actor, ...entry })),
    }),
    Layer.succeed(Authentication, {
      recognise: ({ bearer, cookie, address }) => {
        const actor = Object.hasOwn(actors, bearer ?? "") ? actors[bearer as keyof typeof actors] : undefined // just asked
        if (actor !== undefined) return Effect.succeed({ actor: { ...actor, address } })
        if (cookie === "developer")
          return Effect.succeed({ actor: { ...actors.developer, address }, session: { id: "one", csrf: "csrf" } })
        return bearer === undefined && cookie === undefined
          ? Effect.succeed(undefined)
          : Effect.fail(refuse("unauthenticated", "This token is not valid"))
      },
    }),
  )
  // What endpoints need is in one of both, as the types of the arguments say.
  const all = Layer.merge(frame, services) as Layer.Layer<ServicesOf<E> | FrameServices, unknown>
  const runtime = ManagedRuntime.make(all)
  const app = makeApp<E>({ runtime, endpoints, peerOf: () => "192.0.2.7", ...more })
  return { app, audit, runtime }
}

export const actors = {
  admin: { kind: "user", id: "u-admin", name: "ada", account: "u-admin", role: "admin" },
  developer: { kind: "user", id: "u-developer", name: "dan", account: "u-developer", role: "developer" },
  operator: { kind: "user", id: "u-operator", name: "oz", account: "u-operator", role: "operator" },
  viewer: { kind: "user", id: "u-viewer", name: "vi", account: "u-viewer", role: "viewer" },
} as const satisfies Record<string, Actor>
