import { Effect } from "effect"
import type { Plan } from "../../core/flow/plan.ts"
import { type Connected, withConnection } from "./connection.ts"

/** What outputs of a plan make before their first row, step by step. */
export function missingTables({ steps }: Plan) {
  return steps.flatMap(({ id, creates, dataSources: [dataSource] }) =>
    creates.length === 0 || dataSource === undefined ? [] : [{ step: id, dataSource, statements: creates }],
  )
}

/** Makes the tables of a plan that are missing; a table that has appeared meanwhile is its database's refusal. */
export const createTables = Effect.fnUntraced(function* (plan: Plan) {
  const tables = missingTables(plan)
  for (const { dataSource, statements } of tables) {
    const execute = async ({ connection }: Connected) => {
      for (const statement of statements) await connection.execute(statement)
    }
    yield* withConnection(dataSource, execute, { creates: true })
  }
  return tables
})
