import type { Session } from "../../core/contract/index.ts"
import { pause } from "./read-rows.ts"
import { failure, isBusy } from "./sqlite-failure.ts"

export interface Patience {
  readonly session: Session
  readonly busyTimeoutMs: number
}

/**
 * Does the work as soon as nobody else holds the lock. The driver works in this thread, so waiting for a lock inside it
 * would stop the very split that holds the lock; therefore the driver never waits.
 */
export async function whenFree<T>(action: string, { session, busyTimeoutMs }: Patience, work: () => T): Promise<T> {
  const end = performance.now() + busyTimeoutMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw failure(session, action, error)
    }
    await pause(10)
    if (session.signal.aborted) throw session.failure("cancelled", `${action}: the run was cancelled`)
  }
}
