import { Schema } from "effect"

const TimeOfDay = Schema.String.check(
  Schema.isPattern(/^([01]\d|2[0-3]):[0-5]\d$/, { expected: "a time of day such as 02:30" }),
)
const Hour = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 23 }))

/** At what times of each day, where it is not once: all of them within one day of the schedule's zone. */
const Range = { from: TimeOfDay, to: TimeOfDay }

/**
 * When a schedule fires, by the clock on the wall of its zone. The kinds are those of Dataphin (specification, section
 * 9); `cron` has five fields, or six with seconds first, and takes `?` for `*`.
 */
export const Recurrence = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("daily"), at: Schema.Array(TimeOfDay).check(Schema.isMinLength(1)) }),
  Schema.Struct({
    kind: Schema.Literal("weekly"),
    /** 1 is Monday, 7 is Sunday. */
    weekdays: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 7 }))).check(Schema.isMinLength(1)),
    at: Schema.Array(TimeOfDay).check(Schema.isMinLength(1)),
  }),
  Schema.Struct({
    kind: Schema.Literal("monthly"),
    /** A month without such a day is left out; `last` is the last day of each. */
    days: Schema.Array(
      Schema.Union([Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 31 })), Schema.Literal("last")]),
    ).check(Schema.isMinLength(1)),
    at: Schema.Array(TimeOfDay).check(Schema.isMinLength(1)),
  }),
  Schema.Struct({
    kind: Schema.Literal("hourly"),
    ...Range,
    everyHours: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 23 })),
  }),
  Schema.Struct({
    kind: Schema.Literal("hours"),
    hours: Schema.Array(Hour).check(Schema.isMinLength(1)),
    minute: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 59 })),
  }),
  Schema.Struct({
    kind: Schema.Literal("minutely"),
    ...Range,
    everyMinutes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1439 })),
  }),
  Schema.Struct({
    kind: Schema.Literal("cron"),
    expression: Schema.String.check(Schema.isMaxLength(200)),
  }),
]).annotate({ identifier: "Recurrence" })

export type Recurrence = typeof Recurrence.Type
