import { Effect } from "effect"
import { failure } from "../host/failure.ts"
import type { Queries, StoreDatabase, WriteOptions } from "./database.ts"
import { StoreError } from "./store-error.ts"

/** The store for callers that wait for promises. What the store refuses rejects as a failure that is not tried again. */
export interface StorePromises {
  readonly dialect: "sqlite" | "postgres"
  read<A>(query: (queries: Queries) => Promise<A>): Promise<A>
  write<A>(work: (queries: Queries) => Promise<A>, options?: WriteOptions): Promise<A>
}

export function storePromises(database: StoreDatabase["Service"]): StorePromises {
  function promise<A>(call: Effect.Effect<unknown, unknown>): Promise<A> {
    return Effect.runPromise(Effect.mapError(call, rejected)) as Promise<A> // a refusal is never a value
  }
  return {
    dialect: database.dialect,
    read: (query) => promise(database.read<unknown, unknown>(query)),
    write: (work, options) => promise(database.write<unknown, unknown>(work, options)),
  }
}

function rejected(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const { reason, message, hint, code, cause } = error
  return failure(reason, message, {
    retryable: false,
    cause,
    ...(hint === undefined ? {} : { hint }),
    ...(code === undefined ? {} : { code }),
  })
}
