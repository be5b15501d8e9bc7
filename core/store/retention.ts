import { type SQL, sql } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { StoreDatabase } from "./database.ts"
import type { StoreError } from "./store-error.ts"

/** For how many days something is kept once it is over. */
export interface RetentionDays {
  /** Ended runs, as the server and as the engine know them; those of which rejected rows wait are kept. */
  readonly runs: number
  readonly logs: number
  /** Rejected rows that were replayed or dropped. */
  readonly quarantine: number
  readonly deliveries: number
  readonly audit: number
}

/** How many there were of each kind. */
export type Swept = Readonly<Record<string, number>>

/**
 * Removes what is too old, a little at a time: other writes come in between, and none waits for more than some
 * milliseconds. It may be interrupted anywhere, and several servers may do it at the same time.
 */
export class Retention extends Context.Service<
  Retention,
  { sweep(days: RetentionDays): Effect.Effect<Swept, StoreError> }
>()("core/store/Retention") {
  static readonly layer = Layer.effect(
    Retention,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      return Retention.of({
        sweep: Effect.fnUntraced(function* (days) {
          const now = yield* Clock.currentTimeMillis
          const swept: Record<string, number> = {}
          for (const [kind, statement, most] of sweeps(days, now)) {
            swept[kind] = 0
            for (let found = most; found === most; ) {
              const gone = yield* database.write(({ rows }) => rows(statement), { isLazy: true })
              found = gone.length
              swept[kind] += found
              if (found === most) yield* Effect.sleep(PAUSE_MS)
            }
          }
          return swept
        }),
      })
    }),
  )
}

type Sweep = readonly [kind: string, statement: SQL, most: number]

/** Children first, so that no row takes many others with it. Ids grow with time, so that they are found by their key. */
function sweeps({ runs, logs, quarantine, deliveries, audit }: RetentionDays, now: number): readonly Sweep[] {
  const before = (days: number) => now - days * DAY_MS
  return [
    [
      "logs",
      sql`DELETE FROM job_logs WHERE (job, line) IN (SELECT job, line FROM job_logs
        WHERE job < ${idAt(before(logs))} AND at < ${before(logs)} ORDER BY job, line LIMIT ${SMALL}) RETURNING line`,
      SMALL,
    ],
    [
      "quarantine",
      sql`DELETE FROM rejections WHERE id IN (SELECT rejections.id FROM runs
        JOIN rejections ON rejections.run = runs.key AND rejections.status <> 'waiting'
        WHERE runs.attempt_at < ${before(Math.min(quarantine, runs))} ORDER BY runs.attempt_at LIMIT ${SMALL}) RETURNING id`,
      SMALL,
    ],
    ["engine runs", forgotten(before(runs), LARGE), LARGE],
    [
      "runs",
      sql`DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE id < ${idAt(before(runs))} AND ended_at < ${before(runs)}
        AND status IN ('succeeded', 'failed', 'cancelled', 'skipped')
        AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = jobs.id)
        AND NOT EXISTS (SELECT 1 FROM job_logs WHERE job_logs.job = jobs.id AND job_logs.at >= ${before(logs)})
        ORDER BY id LIMIT ${SMALL}) RETURNING id`,
      SMALL,
    ],
    [
      "deliveries",
      sql`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE id < ${idAt(before(deliveries))}
        AND status <> 'waiting' ORDER BY id LIMIT ${SMALL}) RETURNING id`,
      SMALL,
    ],
    [
      "audit",
      sql`DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE id < ${idAt(before(audit))}
        ORDER BY id LIMIT ${SMALL}) RETURNING id`,
      SMALL,
    ],
    [
      "signatures",
      sql`DELETE FROM used_signatures WHERE ("trigger", signature) IN (SELECT "trigger", signature FROM used_signatures
        WHERE expires_at < ${now} ORDER BY expires_at LIMIT ${SMALL}) RETURNING signature`,
      SMALL,
    ],
    [
      "sessions",
      sql`DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires_at < ${now} LIMIT ${SMALL})
        RETURNING hash`,
      SMALL,
    ],
    ["mended rows", sql`DELETE FROM mended_rows WHERE at < ${now - DAY_MS} RETURNING id`, Number.POSITIVE_INFINITY],
  ]
}

/**
 * Forgets the engine's oldest runs, but for those of which rows still wait, or whose replays are not settled. None of them
 * can be resumed any longer.
 */
export function forgotten(before: number, most: number): SQL {
  return sql`DELETE FROM runs WHERE key IN (SELECT key FROM runs AS old
    WHERE old.attempt_at < ${before} AND old.replay_of IS NULL
    AND NOT EXISTS (SELECT 1 FROM rejections WHERE rejections.run = old.key AND rejections.status = 'waiting')
    AND NOT EXISTS (SELECT 1 FROM runs AS replays WHERE replays.replay_of = old.key AND replays.settled = ${false})
    ORDER BY old.attempt_at LIMIT ${most}) RETURNING key`
}

/** What ids of that time begin with. */
function idAt(at: number): string {
  const time = Math.max(0, at).toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}`
}

export const DAY_MS = 24 * 3600 * 1000
const SMALL = 200
/** Runs have splits and inputs, which go with them. */
const LARGE = 20
const PAUSE_MS = 5
