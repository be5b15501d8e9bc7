import { makeSecrets } from "../../sources/secrets.ts"
import type { Order } from "../../worker/channel/worker-calls.ts"

/** The runs that whoever carries out an order may touch. */
export function runsOf({ order }: Order): readonly string[] {
  const named = order as { readonly run?: string; readonly of?: string } // orders that have them are about runs
  return [named.run, named.of].filter((id) => id !== undefined)
}

/** What the flow is called in the store of runs, where the order is about one. */
export function flowOf({ order }: Order): string | undefined {
  return (order as { readonly name?: string | null }).name ?? undefined // orders that are about flows have it
}

/** Takes the secrets of an order out of what its worker prints or dies of. */
export function maskOf({ order }: Order): (text: string) => string {
  const known = makeSecrets()
  for (const { secrets } of order.sources) for (const secret of secrets) known.add(secret)
  return known.mask
}
