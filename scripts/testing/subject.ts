import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Connection, Database, Output, Sink, SinkRequest } from "../../core/contract/index.ts"
import { databaseOutput } from "../../core/database/database-output.ts"
import type { DatabaseOutputOptions } from "../../core/database/options.ts"
import { decodeConfig } from "../../core/host/config.ts"
import { mysqlDatabase } from "../../plugins/mysql/mysql-database.ts"
import postgresDatabase from "../../plugins/postgres/postgres-database.ts"
import sqliteDatabase from "../../plugins/sqlite/sqlite.ts"
import type { Service } from "../services/service.ts"
import { mariadb, postgres } from "../services/services.ts"
import { testSession } from "./session.ts"

/** An empty database of a real server, or a file, for tests that hold every type of database to the same. */
export interface Subject {
  readonly database: Database
  readonly settings: unknown
  /** Opens connections that tests close. */
  connect(): Promise<Connection>
  output(options: object): { readonly component: Output<DatabaseOutputOptions>; readonly config: DatabaseOutputOptions }
  /** The sink of one attempt at a run: dropped without a word, it is what a killed process leaves. */
  open(
    options: object,
    request: Omit<SinkRequest, "splits" | "step">,
    run: { id: string; fence: number },
  ): Promise<Sink>
}

export const SUBJECTS = ["postgres", "mysql", "sqlite"] as const
export type SubjectName = (typeof SUBJECTS)[number]

/** `server`: instead of the one that all tests share; of this type. */
export async function makeSubject(name: SubjectName, server?: Service): Promise<Subject> {
  const database: Database = DATABASES[name]
  const settings = decoded(database.config, await settingsOf(name, server))
  const component = databaseOutput(database)
  const output = (options: object) => {
    const dataSource = { name: "subject", type: database.id, settings }
    const config = decoded(component.config, { dataSource: "subject", ...options }) as object
    return { component, config: { ...config, dataSource } as DatabaseOutputOptions }
  }
  return {
    database,
    settings,
    connect: () => database.connect(settings, testSession()),
    output,
    open(options, request, run) {
      const { config } = output(options)
      return component.open(config, { ...request, splits: 1, step: "out" }, { ...testSession(), run })
    },
  }
}

const DATABASES: Readonly<Record<SubjectName, Database>> = {
  postgres: postgresDatabase as Database,
  mysql: mysqlDatabase as Database,
  sqlite: sqliteDatabase as Database,
}

async function settingsOf(name: SubjectName, server: Service | undefined): Promise<object> {
  if (name === "sqlite") return { path: join(mkdtempSync(join(tmpdir(), "headrace-subject-")), "subject.db") }
  const { host, port, user, password, createDatabase } =
    server ?? (await (name === "postgres" ? postgres() : mariadb()))
  return { host, port, user, password, database: await createDatabase("subject") }
}

function decoded(schema: Parameters<typeof decodeConfig>[0], given: unknown): unknown {
  const result = decodeConfig(schema, given)
  if ("problems" in result) throw new Error(result.problems.map(({ message }) => message).join("; "))
  return result.config
}
