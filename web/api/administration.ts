import { Effect, Schema } from "effect"
import { AuditTrail } from "../../core/server/audit-trail.ts"
import { settingChangesShape, settingsShape } from "../../core/server/setting-fields.ts"
import { ServerSettings } from "../../core/server/settings.ts"
import { endpoint } from "./endpoint.ts"
import { Id, Instant, page, pageOf, usualLimit } from "./fields.ts"

const text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))

const AuditLine = Schema.Struct({
  id: Id,
  at: Instant,
  actorKind: Schema.String,
  actorId: Schema.String,
  actorName: Schema.String,
  action: Schema.String.annotate({ examples: ["flow.saved"] }),
  subjectKind: Schema.String,
  subjectId: Schema.String,
  subjectName: Schema.String,
  detail: Schema.Record(Schema.String, Schema.Unknown),
  address: Schema.NullOr(Schema.String),
}).annotate({ identifier: "AuditLine" })

const audit = endpoint({
  method: "GET",
  path: "/audit",
  tag: "Administration",
  summary: "Lists who has changed what, and who was not let to, newest first.",
  permission: "audit.read",
  query: Schema.Struct({
    ...page,
    actor: Schema.optionalKey(text.annotate({ description: "Id of a user, token, trigger or schedule." })),
    action: Schema.optionalKey(text.annotate({ examples: ["login.refused"] })),
    subjectKind: Schema.optionalKey(text),
    subjectId: Schema.optionalKey(text),
    from: Schema.optionalKey(Instant),
    to: Schema.optionalKey(Instant.annotate({ description: "Up to and without it; milliseconds since 1970." })),
  }),
  answer: pageOf(AuditLine),
  handle: Effect.fnUntraced(function* ({ query }) {
    const trail = yield* AuditTrail
    return yield* trail.list({ limit: usualLimit, ...query })
  }),
})

const settings = endpoint({
  method: "GET",
  path: "/settings",
  tag: "Administration",
  summary: "Shows the settings of the server.",
  permission: "settings.read",
  answer: settingsShape,
  handle: Effect.fnUntraced(function* () {
    const settings = yield* ServerSettings
    return yield* settings.all
  }),
})

const changeSettings = endpoint({
  method: "PATCH",
  path: "/settings",
  tag: "Administration",
  summary: "Changes some settings; null goes back to the default.",
  permission: "settings.write",
  body: settingChangesShape,
  answer: settingsShape,
  handle: Effect.fnUntraced(function* ({ actor, body }) {
    const settings = yield* ServerSettings
    return yield* settings.change(actor, body)
  }),
})

export const administrationEndpoints = [audit, settings, changeSettings] as const
