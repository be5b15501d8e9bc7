import { Schema } from "effect"
import type { Shape } from "./endpoint.ts"

/** Parts that many endpoints share. */
export const Id = Schema.String.check(Schema.isMaxLength(64)).annotate({ identifier: "Id" })

export const Name = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64))

export const Instant = Schema.Int.annotate({
  identifier: "Instant",
  description: "Milliseconds since 1970-01-01 00:00 UTC.",
})

export const Day = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\d$/, { expected: "a day written as yyyy-mm-dd" }),
)

export const Version = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate({
  description: "The version that was edited; a later one is refused with 409.",
})

export const Environment = Schema.Literals(["prod", "dev"]).annotate({
  description: "Which of a data source's two connections is used.",
})

export const Parameters = Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(10_000))).annotate({
  description: "Values of the flow's parameters.",
})

/** What a call may set in the place of the flow's own settings. */
export const Overrides = Schema.Struct({
  parallel: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 256 })).annotate({
      description: "Splits that are read and written at the same time.",
    }),
  ),
  errorLimit: Schema.optionalKey(
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
      description: "Rejected rows after which the run fails.",
    }),
  ),
}).annotate({ identifier: "RunOverrides", description: "Settings that take the place of the flow's own." })

/** A page of a list that goes by ids. */
export const page = {
  after: Schema.optionalKey(
    Schema.String.check(Schema.isMaxLength(64)).annotate({ description: "The `next` of the page before." }),
  ),
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 })).annotate({ description: "Items at most: 50." }),
  ),
}

export function pageOf<S extends Shape>(item: S) {
  return Schema.Struct({
    items: Schema.Array(item),
    next: Schema.optionalKey(
      Schema.String.annotate({ description: "What `after` is for the next page; absent on the last one." }),
    ),
  })
}

export const usualLimit = 50

/** Text for people, on one line. */
export function line(most: number) {
  return Schema.String.check(
    Schema.isPattern(/^(?!\s)[^\p{Cc}\p{Zl}\p{Zp}]+(?<!\s)$/u, {
      expected: "text on one line, without space at its ends",
    }),
    Schema.isMaxLength(most),
  )
}
