import { join } from "node:path"
import { startMariadb } from "../services/mariadb.ts"
import { startPostgres } from "../services/postgres.ts"
import { isAlive } from "../services/server.ts"
import type { Service } from "../services/service.ts"

/** Which server of a set: PostgreSQL has two, so that a copy may stay on one server or go from one to another. */
export type ServerName = "postgres-a" | "postgres-b" | "mariadb"

/** Private servers, each started when it is first asked for, or found dead. They end with this process. */
export class Servers implements AsyncDisposable {
  readonly #running = new Map<ServerName, Promise<Service>>()

  get(name: ServerName): Promise<Service> {
    const known = this.#running.get(name)
    if (known !== undefined) return known.then(revived)
    const starting = name === "mariadb" ? startMariadb({ settings: MARIADB }) : startPostgres({ settings: POSTGRES })
    this.#running.set(name, starting)
    return starting
  }

  /** What the servers have written of themselves, for somebody who looks for a cause. */
  async keepLogs(folder: string): Promise<void> {
    for (const [name, running] of this.#running) {
      const service = await running.catch(() => undefined)
      if (service !== undefined) await Bun.write(join(folder, `${name}.log`), service.log().slice(-LOG_CHARACTERS))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map(async (service) => (await service).stop()))
  }
}

const LOG_CHARACTERS = 100_000

/** One run that could not start its server again must not fail all that come after it. */
async function revived(service: Service): Promise<Service> {
  if (!isAlive(service.pid)) await service.restart()
  return service
}

/** What is committed survives kill -9, whatever the server was writing at that moment. */
const POSTGRES = { fsync: "on", full_page_writes: "on", shared_buffers: "64MB", autovacuum: "off" }
const MARIADB = {
  "innodb-flush-log-at-trx-commit": "1",
  "innodb-doublewrite": "1",
  "innodb-flush-method": "O_DIRECT",
  "innodb-log-file-size": "64M",
  "max-connections": "300",
}
