import { Effect } from "effect"
import { Argument } from "effect/cli"
import { flowError } from "../../core/flow/problem.ts"
import { DataSources } from "../../core/host/services.ts"
import type { Server } from "../remote/server-client.ts"
import { type CopyOptions, copyFlow, type TypedEndpoint } from "./copy-flow.ts"
import { type Endpoint, readEndpoint } from "./endpoint.ts"
import { usage } from "./refusal.ts"

export const ENDS =
  'SOURCE and TARGET are the name of a data source, a dot and a table (shop.orders, shop.public.orders); or a file that ends in .csv or .tsv, maybe with .gz or .zst; or an SQLite file that ends in .db, .sqlite or .sqlite3, a colon and a table (shop.db:orders). What ends like a file is one: quote a table that is called so (shop."csv"). With --server they are data sources and files of the server.'

export const sourceEnd = Argument.String("SOURCE").pipe(
  Argument.withDescription("What to read: shop.orders, orders.csv, shop.db:orders"),
)
export const targetEnd = Argument.String("TARGET").pipe(
  Argument.withDescription("What to write: warehouse.orders, orders.csv.gz, shop.db:orders"),
)

export interface CopyEnds {
  readonly from: TypedEndpoint
  readonly to: TypedEndpoint
}

interface Written {
  readonly source: string
  readonly target: string
}

/** Both ends of a copy, with data sources of this machine. */
export const endsHere = Effect.fnUntraced(function* ({ source, target }: Written) {
  const dataSources = yield* DataSources
  const typed = Effect.fnUntraced(function* (text: string) {
    const end = yield* readEnd(text, dataSources.names)
    if (end.kind === "csv") return end satisfies TypedEndpoint
    return { ...end, type: (yield* dataSources.get(end.dataSource)).type } satisfies TypedEndpoint
  })
  return { from: yield* typed(source), to: yield* typed(target) } satisfies CopyEnds
})

/** Both ends of a copy, with data sources of a server: those that the caller may see. */
export const endsAt = Effect.fnUntraced(function* (server: Server, { source, target }: Written) {
  const { items } = yield* server.call("GET /sources")
  const names = items.map(({ name }) => name)
  const typed = Effect.fnUntraced(function* (text: string) {
    const end = yield* readEnd(text, names)
    if (end.kind === "csv") return end satisfies TypedEndpoint
    const found = items.find(({ name }) => name === end.dataSource)
    if (found !== undefined) return { ...end, type: found.type } satisfies TypedEndpoint
    return yield* usage(
      `Cannot use the SQLite file "${end.dataSource}" of a server: it is no data source there`,
      "Make a data source of type sqlite for it, and write its name, a dot and the table",
    )
  })
  return { from: yield* typed(source), to: yield* typed(target) } satisfies CopyEnds
})

function readEnd(text: string, names: readonly string[]): Effect.Effect<Endpoint, ReturnType<typeof usage>> {
  const end = readEndpoint(text, names)
  return "message" in end ? Effect.fail(usage(end.message, end.hint)) : Effect.succeed(end)
}

/** The flow document that copies between two ends, or refuses what does not go together. */
export const copyDocument = Effect.fnUntraced(function* ({ from, to }: CopyEnds, options: CopyOptions) {
  const made = copyFlow(from, to, options)
  if ("faults" in made) return yield* flowError(made.faults.map((message) => ({ message })))
  return made.document
})
