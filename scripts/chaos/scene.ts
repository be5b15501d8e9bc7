import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isAlive } from "../services/server.ts"
import type { Service } from "../services/service.ts"
import { access, type Place } from "./database.ts"
import type { Role } from "./fault.ts"
import { SmallDisk } from "./full-disk.ts"
import type { Servers } from "./servers.ts"
import { isPostgres, type Shape } from "./shape.ts"
import { makeSource, makeTarget, SOURCE_TABLE, TARGET_TABLE } from "./tables.ts"
import { TcpProxy } from "./tcp-proxy.ts"

export interface SceneOptions {
  readonly shape: Shape
  readonly servers: Servers
  /** A folder of the run's own, which the servers' account may enter. */
  readonly folder: string
  /** Which disks can be filled. */
  readonly small: { readonly home: boolean; readonly target: boolean }
}

/** Everything that one run needs: databases with their tables, proxies before the servers, a home, a flow. */
export class Scene implements AsyncDisposable {
  readonly folder: string
  readonly home: string
  readonly places: Readonly<Record<Role, Place>>
  readonly proxies: Readonly<Record<Role, TcpProxy>>
  readonly disks: { readonly home?: SmallDisk; readonly target?: SmallDisk }
  readonly #cleanUp: () => Promise<void>
  readonly #killed = new Map<Service, { readonly killed: Promise<void>; readonly back: Promise<void> }>()

  private constructor(
    made: Pick<Scene, "folder" | "home" | "places" | "proxies" | "disks">,
    cleanUp: () => Promise<void>,
  ) {
    this.folder = made.folder
    this.home = made.home
    this.places = made.places
    this.proxies = made.proxies
    this.disks = made.disks
    this.#cleanUp = cleanUp
  }

  static async make({ shape, servers, folder, small }: SceneOptions): Promise<Scene> {
    const stack = new AsyncDisposableStack()
    try {
      const [from, to] = await Promise.all([servers.get(shape.source), servers.get(shape.target)])
      const disk = join(folder, "target-disk")
      const source = await makeDatabase(stack, from, undefined)
      const target = await makeDatabase(stack, to, small.target ? disk : undefined)
      const places = { source: source.place, target: target.place }
      await makeSource(places.source, shape)
      await makeTarget(places.target, shape)
      const proxies = { source: stack.use(await TcpProxy.listen(from)), target: stack.use(await TcpProxy.listen(to)) }
      const home = join(folder, "home")
      mkdirSync(home, { mode: 0o700 })
      const homeDisk = small.home && SmallDisk.isPossible ? stack.use(SmallDisk.mount(home, HOME_MEGABYTES)) : undefined
      const disks = {
        ...(homeDisk === undefined ? {} : { home: homeDisk }),
        ...(target.disk === undefined ? {} : { target: target.disk }),
      }
      await Bun.write(join(folder, "flow.json"), JSON.stringify(flow(shape), null, 2))
      writeFileSync(join(folder, "sources.json"), JSON.stringify(sources(places, proxies), null, 2), { mode: 0o600 })
      const held = stack.move()
      const scene = new Scene({ folder, home, places, proxies, disks }, () => held.disposeAsync())
      held.defer(() => scene.heal())
      return scene
    } catch (cause) {
      await stack.disposeAsync()
      throw cause
    }
  }

  /** Kills a server, unless it is down already, and starts it again after a while. */
  killServer(role: Role, downMs: number): { readonly killed: Promise<void>; readonly back: Promise<void> } {
    const { service } = this.places[role]
    const known = this.#killed.get(service)
    if (known !== undefined) return known
    const killed = service.kill("SIGKILL")
    const back = killed
      .then(() => Bun.sleep(downMs))
      .then(() => this.#restart(service))
      .then(() => void this.#killed.delete(service))
    this.#killed.set(service, { killed, back })
    return { killed, back }
  }

  /** MariaDB does not start while what it has to recover finds no room. */
  async #restart(service: Service): Promise<void> {
    try {
      await service.restart()
    } catch (cause) {
      if (this.disks.target === undefined) throw cause
      this.disks.target.free()
      await service.restart()
    }
  }

  /** Another attempt begins. */
  mark(): void {
    for (const proxy of Object.values(this.proxies)) proxy.mark()
  }

  /**
   * A server learns from its own keep-alive that a connection is dead. That is waited for where Headrace cannot know: an
   * attempt that was cut off and succeeded all the same cannot end its session, and of an attempt that died before it was
   * recorded there is no trace. Every other session an attempt that comes later has to end.
   */
  keepAliveEnds(): void {
    for (const proxy of Object.values(this.proxies)) proxy.buryLost()
  }

  /** Ends what would keep the next attempt from succeeding, but for connections that are lost. */
  async heal(): Promise<void> {
    this.disks.home?.free()
    this.disks.target?.free()
    for (const proxy of Object.values(this.proxies)) proxy.heal()
    // MariaDB may end itself when it cannot write a page.
    for (const { service } of Object.values(this.places)) if (!isAlive(service.pid)) await service.restart()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanUp()
  }
}

/** A database of its own; with `disk`, its files are on a small file system there. */
async function makeDatabase(stack: AsyncDisposableStack, service: Service, disk: string | undefined) {
  const root: Place = { service, database: service.database }
  await using connection = await access(root)
  const name = `chaos_${crypto.randomUUID().slice(0, 8)}`
  const place: Place = { service, database: name }
  const onRoot = (statement: string) => insist(root, statement)
  if (service.kind === "postgres") {
    const small = disk === undefined ? undefined : stack.use(SmallDisk.mount(disk, TARGET_MEGABYTES, NOBODY))
    if (small !== undefined) {
      await connection.execute(`CREATE TABLESPACE ${name} LOCATION '${disk}'`)
      stack.defer(() => onRoot(`DROP TABLESPACE ${name}`))
    }
    await connection.execute(`CREATE DATABASE ${name}${small === undefined ? "" : ` TABLESPACE ${name}`}`)
    stack.defer(() => onRoot(`DROP DATABASE ${name} WITH (FORCE)`))
    return { place, disk: small }
  }
  await connection.execute(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`)
  stack.defer(() => onRoot(`DROP DATABASE ${name}`))
  if (disk === undefined) return { place, disk: undefined }
  const [row] = await connection.query("SELECT @@datadir")
  const small = stack.use(SmallDisk.mount(join(row?.[0] ?? "", name), TARGET_MEGABYTES, NOBODY))
  // The server removes a folder with its tables in it, but not the mount.
  stack.defer(() => onRoot(`DROP TABLE IF EXISTS ${name}.${TARGET_TABLE}, ${name}.headrace_ledger`))
  return { place, disk: small }
}

/** No checkpoint succeeds on a server while the disk of another run's database is full, and dropping takes one. */
async function insist(root: Place, statement: string): Promise<void> {
  const end = performance.now() + CHECKPOINT_MS
  for (;;) {
    try {
      await using connection = await access(root)
      return await connection.execute(statement)
    } catch (cause) {
      if (!String(cause).includes("checkpoint request failed") || performance.now() > end) throw cause
    }
    await Bun.sleep(200)
  }
}

function flow({ source, target, mode, splits }: Shape): object {
  const reads = { dataSource: "source", table: SOURCE_TABLE, ...(splits > 1 && { splitColumn: "id", splits }) }
  const writes = {
    dataSource: "target",
    table: TARGET_TABLE,
    mode,
    // The target of an append may have no key.
    ...(mode === "append" ? {} : { keyColumns: ["id"] }),
  }
  return {
    version: 1,
    name: "chaos",
    steps: [
      { id: "read", use: `${isPostgres(source) ? "postgres" : "mysql"}-input`, config: reads },
      { id: "write", use: `${isPostgres(target) ? "postgres" : "mysql"}-output`, config: writes },
    ],
    hops: [{ from: "read", to: "write" }],
    settings: { parallel: splits, errorLimit: 1_000_000, connectTimeoutMs: 3000, cancelTimeoutMs: 3000 },
  }
}

function sources(places: Scene["places"], proxies: Scene["proxies"]): object {
  const one = (role: Role) => {
    const { service, database } = places[role]
    const { kind, user, password } = service
    const settings = { host: "127.0.0.1", port: proxies[role].port, user, password, database }
    return { type: kind === "postgres" ? "postgres" : "mysql", settings }
  }
  return { source: one("source"), target: one("target") }
}

const CHECKPOINT_MS = 60_000
const HOME_MEGABYTES = 16
const TARGET_MEGABYTES = 96
/** The account of the servers, when this process is root. */
const NOBODY = { uid: 65534, gid: 65534 }
