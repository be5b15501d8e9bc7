import { eq, isNull, or } from "drizzle-orm"
import type { Queries } from "../../store/database.ts"
import { makeId } from "../id.ts"
import type { Job } from "../jobs/dispatcher.ts"

/** What a webhook may be told. */
export const webhookEvents = ["run.succeeded", "run.failed", "run.cancelled", "run.interrupted", "run.skipped"] as const

export type WebhookEvent = (typeof webhookEvents)[number]

/**
 * Queues what webhooks are to be told of a job that has ended, in the transaction that records its end: either both are
 * there, or neither.
 */
export async function queueDeliveries({ select, insert, tables }: Queries, job: Job, now: number): Promise<void> {
  const { webhooks, deliveries } = tables
  const event = `run.${job.status}`
  const found = await select()
    .from(webhooks)
    .where(or(isNull(webhooks.flow), eq(webhooks.flow, job.flow)))
  const told = found.filter(({ paused, events }) => !paused && events.includes(event))
  if (told.length === 0) return
  await insert(deliveries).values(
    told.map((webhook) => {
      const id = makeId(now)
      return {
        ...{ id, webhook: webhook.id, job: job.id, event, body: bodyOf(id, event, job, now) },
        ...{ status: "waiting" as const, attempts: 0, dueAt: now, createdAt: now },
      }
    }),
  )
}

function bodyOf(id: string, event: string, job: Job, now: number): string {
  const { id: run, flowName: flow, flowVersion, environment, cause, bizdate, scheduledAt, status, retry } = job
  const { requestedAt, startedAt, endedAt, written, rejected, message } = job
  return JSON.stringify({
    ...{ id, event, at: time(now) },
    run: {
      ...{ id: run, flow, flowVersion, environment, cause, bizdate, scheduledAt, status, retry },
      ...{ requestedAt: time(requestedAt), startedAt: time(startedAt), endedAt: time(endedAt) },
      ...{ written, rejected, message },
    },
  })
}

function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
