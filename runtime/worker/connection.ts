import { Effect } from "effect"
import type { Connection, Database, DataSource, Session } from "../../core/contract/index.ts"
import { connected } from "../../core/database/connections.ts"
import type { FlowSettings } from "../../core/flow/flow-schema.ts"
import { runSettings } from "../../core/flow/plan.ts"
import { checkFlow } from "../../core/flow/read-flow.ts"
import { failure, pluginError } from "../../core/host/failure.ts"
import { DataSources, InstalledComponents, Machine } from "../../core/host/services.ts"
import { makeSession, noRows } from "../../core/host/session.ts"

/** A data source with an open connection to it. */
export interface Connected {
  readonly source: DataSource
  readonly database: Database
  readonly connection: Connection
  readonly session: Session
}

/** Connects to a data source for the length of `use`. A file of a data source that is missing is made only where `creates` says so. */
export const withConnection = Effect.fnUntraced(function* <A>(
  name: string,
  use: (connected: Connected) => Promise<A>,
  { creates = false } = {},
) {
  const dataSources = yield* DataSources
  const components = yield* InstalledComponents
  const machine = yield* Machine
  const declared = yield* dataSources.get(name)
  const source = creates ? declared : { ...declared, settings: withoutCreation(declared.settings) }
  const component = components.get(source.type)?.component
  if (component?.kind !== "database") return yield* Effect.die(`"${source.type}" is no database type`)
  const settings = yield* defaultSettings
  return yield* Effect.tryPromise({
    try: async (signal) => {
      const session = makeSession({
        ...machine,
        signal,
        parameters: {},
        settings: runSettings(settings),
        run: { id: "console", fence: 1 },
        reject: ({ reason }) => {
          throw failure("data", `Cannot read a row: ${reason}`)
        },
        ...noRows,
      })
      await using connection = await connected((at) => component.connect(source.settings, at), session)
      return await use({ source, database: component, connection, session })
    },
    catch: (thrown) => pluginError(thrown),
  })
})

function withoutCreation(settings: unknown): unknown {
  const creates = typeof settings === "object" && settings !== null && Object.hasOwn(settings, "createIfMissing")
  return creates ? { ...settings, createIfMissing: false } : settings
}

/** What a flow that says nothing runs with. */
const defaultSettings = Effect.map(
  Effect.orDie(checkFlow({ version: 1, steps: [{ id: "none", use: "none" }] })),
  (flow): FlowSettings => flow.settings,
)
