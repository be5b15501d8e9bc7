import { Effect } from "effect"
import { type PluginError, pluginError } from "./failure.ts"

/** Runs a promise whose work stops by signal; an interruption waits for it to settle, up to a deadline. */
export function cancellable<A>(
  run: (signal: AbortSignal) => Promise<A>,
  deadlineMs: number,
  step?: string,
): Effect.Effect<A, PluginError> {
  return Effect.suspend(() => {
    const controller = new AbortController()
    const promise = called(() => run(controller.signal))
    return Effect.tryPromise({ try: () => promise, catch: (thrown) => pluginError(thrown, step) }).pipe(
      Effect.onInterrupt(() => {
        controller.abort(new DOMException("The run was cancelled", "AbortError"))
        return Effect.promise(() => within(promise, deadlineMs))
      }),
    )
  })
}

/** A component that throws at once rejects as well. */
export async function called<A>(use: () => PromiseLike<A>): Promise<A> {
  return await use()
}

/** Waits until a promise settles, and not longer than that; says whether it did. */
export async function within(promise: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  const { promise: passed, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, deadlineMs, false)
  const settled = promise.then(
    () => true,
    () => true,
  )
  return await Promise.race([settled, passed]).finally(() => clearTimeout(timer))
}
