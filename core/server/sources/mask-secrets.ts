import { Effect } from "effect"
import { makeSecretMask } from "../../host/secret-mask.ts"
import { RequestError } from "../request-error.ts"
import type { OpenSource } from "./source-registry.ts"

/** Keeps the secrets of a data source out of what is said of it, whoever says it: drivers repeat what they were given. */
export function withoutSecrets<A, E, R>(
  { secrets }: Pick<OpenSource, "secrets">,
  work: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R> {
  const { add, mask } = makeSecretMask()
  for (const secret of secrets) add(secret)
  // A masked error is of the type that it was.
  return Effect.mapError(work, (error) =>
    error instanceof RequestError ? (masked(error, mask) as E & RequestError) : error,
  )
}

function masked(error: RequestError, mask: (text: string) => string): RequestError {
  const { reason, message, hint, problems, current, retryAfterMs } = error
  const maskBoth = (said: { readonly message: string; readonly hint?: string }) => ({
    message: mask(said.message),
    ...(said.hint === undefined ? {} : { hint: mask(said.hint) }),
  })
  return new RequestError({
    reason,
    ...maskBoth({ message, ...(hint === undefined ? {} : { hint }) }),
    ...(problems === undefined ? {} : { problems: problems.map((one) => ({ ...one, ...maskBoth(one) })) }),
    ...(current === undefined ? {} : { current }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
