import { afterAll, describe } from "bun:test"
import { startMariadb } from "../../../scripts/services/mariadb.ts"
import { type MysqlVersion, missingMysql, mysqlVersions, startMysql } from "../../../scripts/services/mysql.ts"
import type { MysqlServerOptions } from "../../../scripts/services/mysql-server.ts"
import type { Service } from "../../../scripts/services/service.ts"
import { mariadb, mysql } from "../../../scripts/services/services.ts"
import type { testSession } from "../../../scripts/testing/session.ts"
import { type Bed, bed } from "./database.ts"

/** A server that the tests of this plugin run on. */
export interface TestServer {
  readonly name: string
  readonly mariadb: boolean
  /** 10 for MariaDB 10.11, 9 for MySQL 9.7. */
  readonly major: number
  /** Whether it keeps CHECK constraints: MySQL does from 8.0.16 on. */
  readonly checks: boolean
  readonly tls: boolean
  /** By which passwords are checked. */
  readonly plugins: readonly string[]
  /** The one that all tests share. */
  shared(): Promise<Service>
  /** One of the test's own. */
  start(options?: MysqlServerOptions): Promise<Service>
  /** The one that forbids LOAD DATA LOCAL, shared by the tests of a file. */
  withoutLocal(): Promise<Service>
  bed(options?: Parameters<typeof testSession>[0], service?: Service): Promise<Bed>
}

/** Runs the tests once for each server that this machine can have, and says aloud which it cannot. */
export function onServers(tests: (server: TestServer) => void): void {
  for (const { missing, ...server } of SERVERS) {
    const why = missing()
    if (why !== undefined) console.error(`SKIPPED: the tests of mysql on ${server.name}. ${why}`)
    describe.skipIf(why !== undefined)(`on ${server.name}:`, () => {
      let closed: Promise<Service> | undefined
      afterAll(async () => {
        await (await closed)?.stop()
      })
      tests({
        ...server,
        async withoutLocal() {
          closed ??= server.start({ settings: { "local-infile": "OFF" } })
          return closed
        },
        bed: async (options = {}, service) => bed(options, service ?? (await server.shared())),
      })
    })
  }
}

type Facts = Pick<TestServer, "major" | "checks" | "tls" | "plugins">
type Known = Omit<TestServer, "bed" | "withoutLocal"> & { missing(): string | undefined }

function mysqlOf(version: MysqlVersion, facts: Facts): Known {
  return {
    name: `MySQL ${version}`,
    mariadb: false,
    ...facts,
    shared: () => mysql(version),
    start: (options) => startMysql({ ...options, version }),
    missing: () => missingMysql(version),
  }
}

const MYSQL: Readonly<Record<MysqlVersion, Facts>> = {
  newest: { major: 9, checks: true, tls: true, plugins: ["caching_sha2_password", "sha256_password"] },
  "8.0": {
    major: 8,
    checks: false,
    tls: true,
    plugins: ["caching_sha2_password", "sha256_password", "mysql_native_password"],
  },
  "5.7": { major: 5, checks: false, tls: false, plugins: ["mysql_native_password"] },
}

const SERVERS: readonly Known[] = [
  {
    name: "MariaDB",
    mariadb: true,
    major: 10,
    checks: true,
    tls: true,
    plugins: [],
    shared: mariadb,
    start: startMariadb,
    missing: () => undefined,
  },
  ...mysqlVersions.map((version) => mysqlOf(version, MYSQL[version])),
]
