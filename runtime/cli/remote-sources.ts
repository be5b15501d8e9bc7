import { Effect, Option } from "effect"
import type { TableInfo, TableName } from "../../core/contract/index.ts"
import { parseTableName } from "../../core/database/table-name.ts"
import { failure } from "../../core/host/failure.ts"
import type { Server } from "../remote/server-client.ts"
import { usage } from "./refusal.ts"

type Environment = Option.Option<"prod" | "dev">

export function chosen(environment: Environment) {
  return Option.isNone(environment) ? {} : { environment: environment.value }
}

export const testAt = Effect.fnUntraced(function* (at: Server, name: string, environment: Environment) {
  const { type } = yield* at.call("GET /sources/:name", { params: { name } })
  const query = chosen(environment)
  const tested = yield* at.call("POST /sources/:name/test", { params: { name }, query })
  return { type, ...tested }
})

export const tablesAt = Effect.fnUntraced(function* (
  at: Server,
  name: string,
  query: { schema?: string; environment?: "prod" | "dev" },
) {
  // Workers answer with what connections tell.
  return (yield* at.call("GET /sources/:name/tables", { params: { name }, query })) as readonly TableName[]
})

interface TableOf {
  readonly source: string
  readonly table: string
  readonly environment: Environment
}

export const columnsAt = Effect.fnUntraced(function* (at: Server, { source: name, table, environment }: TableOf) {
  const place = yield* Effect.try({
    try: () => parseTableName(table, undefined, failure),
    catch: (error) => usage((error as Error).message), // it says what is wrong with the name
  })
  const query = {
    table: place.name,
    ...(place.schema === undefined ? {} : { schema: place.schema }),
    ...chosen(environment),
  }
  // Workers answer with what connections tell.
  return (yield* at.call("GET /sources/:name/columns", { params: { name }, query })) as TableInfo
})
