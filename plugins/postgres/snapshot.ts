import type { Session, Snapshot } from "../../core/contract/index.ts"
import { connect } from "./postgres-connection.ts"
import type { PostgresSettings } from "./settings.ts"

const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

/** Connections that share one exported snapshot; the first keeps it alive (`pg_export_snapshot`). */
export async function snapshot(settings: PostgresSettings, _connections: number, session: Session): Promise<Snapshot> {
  const keeper = await connect(settings, session)
  try {
    await keeper.execute(BEGIN)
    const [[id]] = (await keeper.query("SELECT pg_export_snapshot()")) as [[string]]
    return {
      label: `exported snapshot ${id}`,
      consistent: true,
      async connect(at) {
        const connection = await connect(settings, at)
        try {
          await connection.execute(`${BEGIN}; SET TRANSACTION SNAPSHOT '${id.replaceAll("'", "''")}'`)
          return connection
        } catch (error) {
          await connection.close()
          throw error
        }
      },
      [Symbol.asyncDispose]: () => keeper.close(),
    }
  } catch (error) {
    await keeper.close()
    throw error
  }
}
