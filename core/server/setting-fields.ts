import { Schema } from "effect"
import { ruleFault } from "./sources/host-policy.ts"
import { networkOf } from "./sources/ip-address.ts"

/** A setting, with what holds until somebody sets it. */
interface SettingField<S extends Schema.Codec<unknown, unknown>> {
  readonly schema: S
  readonly usual: S["Type"]
  /** One sentence. */
  readonly summary: string
}

function field<S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  usual: NoInfer<S>["Type"],
  summary: string,
): SettingField<S> {
  return { schema, usual, summary }
}

function whole(minimum: number, maximum: number) {
  return Schema.Int.check(Schema.isBetween({ minimum, maximum }))
}

/** Rules of `core/server/sources/host-policy.ts`. */
const places = Schema.Array(Schema.String.check(Schema.makeFilter((text) => ruleFault(text) ?? true))).check(
  Schema.isMaxLength(200),
)

const addresses = Schema.Array(
  Schema.String.check(
    Schema.makeFilter((text) => networkOf(text) !== undefined, {
      expected: "an address, or a network such as 10.0.0.0/8",
    }),
  ),
).check(Schema.isMaxLength(50))

const folders = Schema.Array(
  Schema.String.check(Schema.isPattern(/^\/[^\0]*$/, { expected: "an absolute path" }), Schema.isMaxLength(1000)),
).check(Schema.isMaxLength(50))

const hosts = Schema.Array(
  Schema.String.check(Schema.isPattern(/^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/, { expected: "a host name without port" })),
).check(Schema.isMaxLength(50))

/** Every setting that administrators may change while the server runs. */
export const settingFields = {
  "server.publicUrl": field(
    Schema.String.check(
      Schema.isPattern(/^(?:https?:\/\/[^\s/?#]+)?$/, { expected: "an origin such as https://a.example" }),
    ),
    "",
    "Where people reach the server, for links in invitations and webhooks.",
  ),
  "server.hosts": field(hosts, [], "Host names that the server answers to, besides localhost and IP addresses."),
  "server.trustedProxies": field(addresses, [], "Addresses of proxies whose X-Forwarded-For and -Proto are believed."),
  "sessions.idleHours": field(whole(1, 168), 12, "Hours after which an unused session ends."),
  "sessions.mostDays": field(whole(1, 90), 7, "Days after which a session ends in any case."),
  "limits.requestsPerMinute": field(whole(0, 10_000_000), 6000, "Requests of one user or token; 0: no limit."),
  "limits.strangerRequestsPerMinute": field(
    whole(10, 10_000_000),
    300,
    "Requests of one address that come without valid credentials.",
  ),
  "retention.runsDays": field(whole(1, 36_500), 90, "Days for which ended runs are kept."),
  "retention.logsDays": field(whole(1, 36_500), 30, "Days for which logs of runs are kept."),
  "retention.quarantineDays": field(
    whole(1, 36_500),
    90,
    "Days for which rejected rows are kept that were replayed or dropped; others wait until they are.",
  ),
  "retention.deliveriesDays": field(whole(1, 36_500), 30, "Days for which deliveries of webhooks are kept."),
  "retention.auditDays": field(whole(30, 36_500), 730, "Days for which the audit log is kept."),
  "queue.mostQueued": field(whole(1, 1_000_000), 10_000, "Runs that may wait; further ones are refused."),
  "queue.mostRunning": field(
    whole(0, 1000),
    0,
    "Runs at the same time on one server; 0: as many as it has processors.",
  ),
  "sources.allow": field(places, [], "Places that data sources may be at; none: everywhere but those denied."),
  "sources.deny": field(
    places,
    ["169.254.0.0/16", "fe80::/10"],
    "Places that data sources must not be at; denied goes before allowed.",
  ),
  "sources.folders": field(
    folders,
    [],
    "Folders in which flows and data sources may use files, besides `files` in the folder of Headrace.",
  ),
  "sources.references": field(
    Schema.Boolean,
    false,
    "Whether everybody who makes data sources may refer to the environment and the files of the server.",
  ),
  "webhooks.allow": field(
    places,
    [],
    "Loopback, private and link-local places that webhooks may be sent to all the same.",
  ),
  "webhooks.deny": field(places, [], "Places that webhooks are never sent to."),
  "webhooks.allowHttp": field(Schema.Boolean, false, "Whether webhooks may be sent without encryption."),
}

export type SettingKey = keyof typeof settingFields

export type Settings = { readonly [K in SettingKey]: (typeof settingFields)[K]["schema"]["Type"] }

export const settingKeys = Object.keys(settingFields) as readonly SettingKey[] // the keys of the object above

export const defaultSettings = Object.fromEntries(
  settingKeys.map((key) => [key, settingFields[key].usual]),
) as unknown as Settings // every key with what its field says

/** Every setting with its value, as it is sent. */
export const settingsShape = Schema.Struct(
  Object.fromEntries(
    settingKeys.map((key) => [key, settingFields[key].schema.annotate({ description: settingFields[key].summary })]),
  ),
).annotate({ identifier: "Settings" }) as unknown as Schema.Codec<Settings> // built from the fields, key by key

export type SettingChanges = { readonly [K in SettingKey]?: Settings[K] | null }

/** What is changed; `null` goes back to the default. */
export const settingChangesShape = Schema.Struct(
  Object.fromEntries(
    settingKeys.map((key) => [
      key,
      Schema.optionalKey(
        Schema.NullOr(settingFields[key].schema as Schema.Codec<unknown>).annotate({
          description: settingFields[key].summary,
        }),
      ),
    ]),
  ),
).annotate({ identifier: "SettingChanges" }) as unknown as Schema.Codec<SettingChanges> // as above
