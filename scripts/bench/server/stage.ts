import { readdirSync, readFileSync } from "node:fs"
import postgresClient, { type Sql } from "postgres"
import type { Service } from "../../services/service.ts"
import { ApiClient } from "../../testing/api-client.ts"
import { type Served, serve } from "../../testing/served.ts"

/** A server with a data source, flows and a trigger, and the database that they work on. */
export interface Stage extends AsyncDisposable {
  readonly server: Served
  readonly ada: ApiClient
  readonly sql: Sql
  /** Makes a flow that copies a table into another, and gives a client that may start it. */
  flow(name: string, from: string, to: string): Promise<ApiClient>
}

export interface StageOptions {
  readonly command: readonly string[]
  readonly service: Service
  readonly environment?: Readonly<Record<string, string>>
}

export async function setStage({ command, service, environment = {} }: StageOptions): Promise<Stage> {
  const database = await service.createDatabase("served")
  const server = await serve({ command, environment: { HEADRACE_LOG_FORMAT: "json", ...environment } })
  const sql = postgresClient(service.urlOf(database), { max: 4, onnotice: () => {} })
  const ada = await ApiClient.setUp(server)
  // Many clients are one here.
  await ada.done("PATCH /settings", { "limits.requestsPerMinute": 0 })
  const { host, port, user, password } = service
  const prod = { host, port, user, password, database, tls: "off" }
  await ada.done("POST /sources", { name: "pg", type: "postgres", description: "", prod, concurrency: null })
  return {
    ...{ server, ada, sql },
    async flow(name, from, to) {
      const properties = { concurrency: 16 }
      await ada.done("POST /flows", { name, document: JSON.stringify(copyOf(from, to)), properties })
      const trigger = { signed: false, replayWindowMs: 60_000, requestsPerMinute: 100_000, environment: "prod" }
      const made = await ada.done<{ token: string }>(`POST /flows/${name}/triggers`, { name: "bench", ...trigger })
      return ApiClient.bearer(server.url, made.token)
    },
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 })
      await server[Symbol.asyncDispose]()
    },
  }
}

/** The document of a flow that copies a table into another. */
export function copyOf(from: string, to: string): object {
  return {
    version: 1,
    steps: [
      { id: "read", use: "postgres-input", config: { dataSource: "pg", table: from } },
      { id: "write", use: "postgres-output", config: { dataSource: "pg", table: to, mode: "append" } },
    ],
    hops: [{ from: "read", to: "write" }],
  }
}

/** Memory of a process, without and with its children, in MB. */
export function megabytesOf(pid: number): { readonly own: number; readonly all: number } {
  const own = residentMegabytes(pid)
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number),
  )
  return { own, all: children.reduce((sum, child) => sum + residentMegabytes(child), own) }
}

function residentMegabytes(pid: number): number {
  try {
    const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? []
    return Number(kilobytes) / 1000
  } catch {
    return 0
  }
}
