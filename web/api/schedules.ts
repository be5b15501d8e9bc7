import { Effect, Schema } from "effect"
import { Recurrence } from "../../core/server/schedules/recurrence.ts"
import { Schedules } from "../../core/server/schedules/schedules.ts"
import { endpoint } from "./endpoint.ts"
import { Day, Environment, Id, Instant, Name, Parameters, Version } from "./fields.ts"

const timing = {
  recurrence: Recurrence,
  timeZone: Schema.String.annotate({ description: "IANA name, such as Europe/Berlin." }),
  effectiveFrom: Schema.NullOr(Day),
  effectiveTo: Schema.NullOr(Day),
}

const draft = {
  name: Name,
  ...timing,
  mode: Schema.Literals(["normal", "dry-run", "skip"]).annotate({
    description: "`dry-run` records a success without moving a row, `skip` records that nothing was run.",
  }),
  missed: Schema.Literals(["skip", "once", "all"]).annotate({
    description: "What becomes of firings while no server ran: none, the last one, or each of them.",
  }),
  parameters: Parameters,
  environment: Environment,
}

const Draft = Schema.Struct(draft).annotate({ identifier: "ScheduleDraft" })

const Shown = Schema.Struct({
  ...{ id: Id, flow: Name, ...draft, paused: Schema.Boolean },
  nextAt: Schema.NullOr(Instant),
  lastAt: Schema.NullOr(Instant),
  message: Schema.NullOr(Schema.String).annotate({ description: "Why the last firing started no run." }),
  ...{ owner: Schema.String, version: Version, createdAt: Instant, updatedAt: Instant },
}).annotate({ identifier: "Schedule" })

const ofSchedule = Schema.Struct({ id: Id })
const edited = Schema.Struct({ version: Version })

export const schedules = [
  endpoint({
    ...{ method: "GET", path: "/schedules", tag: "Schedules", permission: "schedules.read" },
    summary: "Lists schedules, of one flow or of all of them.",
    query: Schema.Struct({ flow: Schema.optionalKey(Name) }),
    answer: Schema.Struct({ items: Schema.Array(Shown) }),
    handle: ({ query }) =>
      Effect.map(
        Schedules.use((all) => all.list(query.flow)),
        (items) => ({ items }),
      ),
  }),
  endpoint({
    ...{ method: "POST", path: "/flows/:name/schedules", tag: "Schedules", permission: "schedules.write" },
    summary: "Makes a schedule for a flow.",
    ...{ params: Schema.Struct({ name: Name }), body: Draft, answer: Shown, status: 201 },
    refusals: ["missing", "conflict", "invalid"],
    handle: ({ actor, params, body }) => Schedules.use((all) => all.create(actor, params.name, body)),
  }),
  endpoint({
    ...{ method: "GET", path: "/schedules/:id", tag: "Schedules", permission: "schedules.read" },
    summary: "Shows a schedule.",
    ...{ params: ofSchedule, answer: Shown, refusals: ["missing"] },
    handle: ({ params }) => Schedules.use((all) => all.get(params.id)),
  }),
  endpoint({
    ...{ method: "PUT", path: "/schedules/:id", tag: "Schedules", permission: "schedules.write" },
    summary: "Changes a schedule.",
    params: ofSchedule,
    body: Schema.Struct({ ...draft, version: Version }),
    ...{ answer: Shown, refusals: ["missing", "conflict", "invalid"] },
    handle: ({ actor, params, body: { version, ...body } }) =>
      Schedules.use((all) => all.update(actor, params.id, version, body)),
  }),
  endpoint({
    ...{ method: "DELETE", path: "/schedules/:id", tag: "Schedules", permission: "schedules.write" },
    summary: "Removes a schedule.",
    ...{ params: ofSchedule, query: edited, answer: Schema.Void, status: 204, refusals: ["missing", "conflict"] },
    handle: ({ actor, params, query }) => Schedules.use((all) => all.remove(actor, params.id, query.version)),
  }),
  endpoint({
    ...{ method: "POST", path: "/schedules/:id/pause", tag: "Schedules", permission: "schedules.write" },
    summary: "Pauses a schedule: it does not fire, and what it misses is not made up for.",
    ...{ params: ofSchedule, answer: Shown, refusals: ["missing"] },
    handle: ({ actor, params }) => Schedules.use((all) => all.pause(actor, params.id, true)),
  }),
  endpoint({
    ...{ method: "POST", path: "/schedules/:id/resume", tag: "Schedules", permission: "schedules.write" },
    summary: "Lets a paused schedule fire again, from now on.",
    ...{ params: ofSchedule, answer: Shown, refusals: ["missing", "invalid"] },
    handle: ({ actor, params }) => Schedules.use((all) => all.pause(actor, params.id, false)),
  }),
  endpoint({
    ...{ method: "POST", path: "/schedule-previews", tag: "Schedules", permission: "schedules.read" },
    summary: "Tells when a schedule would fire, without making it.",
    body: Schema.Struct({
      ...timing,
      count: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))),
    }),
    answer: Schema.Struct({ firings: Schema.Array(Instant) }),
    refusals: ["invalid"],
    handle: ({ body: { count = 10, ...rest } }) =>
      Effect.map(
        Schedules.use((all) => all.preview(rest, count)),
        (firings) => ({ firings }),
      ),
  }),
] as const
