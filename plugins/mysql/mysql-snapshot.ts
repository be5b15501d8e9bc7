import type { Connection, Session, Snapshot } from "../../core/contract/index.ts"
import { MysqlConnection } from "./mysql-connection.ts"
import { Link } from "./mysql-link.ts"
import type { MysqlSettings } from "./mysql-settings.ts"

/**
 * Opens `connections` connections on one state of the data. In this order: MariaDB tells the binary log position that
 * a snapshot belongs to, so equal positions are proof; a global read lock, held only while the snapshots begin; the
 * binary log position before and after, compared.
 */
export async function takeSnapshot(settings: MysqlSettings, connections: number, session: Session): Promise<Snapshot> {
  const links: Link[] = []
  try {
    for (let i = 0; i < Math.max(connections, 1); i++) links.push(await Link.open(settings, session))
    for (const link of links) {
      await link.run(ACTION, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    }
    return new MysqlSnapshot(links, await begin(links), session)
  } catch (cause) {
    await Promise.all(links.map((link) => link.wire.end()))
    throw cause
  }
}

interface Begun {
  readonly label: string
  readonly consistent: boolean
  readonly note?: string
}

async function begin(links: readonly Link[]): Promise<Begun> {
  if (links.length === 1) {
    await startAll(links)
    return { label: "one transaction", consistent: true }
  }
  return (
    (await bySnapshotPosition(links)) ??
    (await byLock(links)) ??
    (await byBinaryLog(links)) ?? {
      label: `${links.length} transactions`,
      consistent: false,
      note: "The user may neither lock the tables (RELOAD) nor see the binary log (REPLICATION CLIENT), so parallel splits may see different states",
    }
  )
}

/** MariaDB with a binary log: every snapshot knows its position in it. */
async function bySnapshotPosition(links: readonly Link[]): Promise<Begun | undefined> {
  const [first] = links
  if (!first?.facts.mariadb) return undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await startAll(links)
    const positions = await Promise.all(
      links.map(async (link) => {
        const rows = await link.rows(ACTION, "SHOW STATUS LIKE 'binlog_snapshot_%'")
        const value = (name: string) => rows.find(([key]) => key?.toLowerCase() === name)?.[1] ?? ""
        return `${value("binlog_snapshot_file")}:${value("binlog_snapshot_position")}`
      }),
    )
    const [position] = positions
    if (position === undefined || position.startsWith(":")) return undefined
    if (positions.every((other) => other === position)) return { label: `binary log ${position}`, consistent: true }
  }
  return undefined
}

async function byLock(links: readonly Link[]): Promise<Begun | undefined> {
  const [first] = links
  if (!first) return undefined
  try {
    // The lock waits for statements that run, and everybody else waits for the lock: better none than a long one.
    await first.run(ACTION, `SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`)
    await first.run(ACTION, "FLUSH TABLES WITH READ LOCK", { timeoutMs: LOCK_WAIT_SECONDS * 1000 + 500 })
  } catch (cause) {
    const { reason, code } = cause as { reason: string; code?: string } // a failure, by its shape
    // Servers that are rented out say that the login was wrong.
    if (!["permission", "conflict", "timeout", "cancelled"].includes(reason) && code !== "1045") throw cause
    return undefined
  }
  try {
    await startAll(links)
  } finally {
    await first.settle(ACTION, "UNLOCK TABLES")
  }
  return { label: "read lock", consistent: true }
}

/** Equal positions before and after say that nothing was committed while the snapshots began. */
async function byBinaryLog(links: readonly Link[]): Promise<Begun | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await binaryLogPosition(links[0]!)
    if (before === undefined) break
    await startAll(links)
    if ((await binaryLogPosition(links[0]!)) === before) return { label: `binary log ${before}`, consistent: true }
  }
  await startAll(links)
  return undefined
}

async function binaryLogPosition(link: Link): Promise<string | undefined> {
  for (const sql of ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"]) {
    try {
      const [row] = await link.rows(ACTION, sql)
      if (row) return `${row[0]}:${row[1]}`
    } catch {
      // Not known to this version, or not allowed.
    }
  }
  return undefined
}

async function startAll(links: readonly Link[]): Promise<void> {
  await Promise.all(links.map((link) => link.run(ACTION, "START TRANSACTION WITH CONSISTENT SNAPSHOT")))
}

class MysqlSnapshot implements Snapshot {
  readonly label: string
  readonly consistent: boolean
  readonly note?: string
  readonly #all: readonly Link[]
  readonly #free: Link[]
  readonly #session: Session

  constructor(links: readonly Link[], begun: Begun, session: Session) {
    this.label = begun.label
    this.consistent = begun.consistent
    if (begun.note !== undefined) this.note = begun.note
    this.#all = links
    this.#free = [...links]
    this.#session = session
  }

  async connect(): Promise<Connection> {
    for (;;) {
      const link = this.#free.shift()
      if (!link) {
        const lost = this.#all.filter(({ wire }) => wire.closed).length
        const why = lost > 0 ? `${lost} of its ${this.#all.length} connections were lost` : "all are in use"
        throw this.#session.failure("connection", `Cannot connect to the snapshot "${this.label}": ${why}`, {
          retryable: false,
        })
      }
      if (link.wire.closed) continue
      // The transaction is the snapshot, so a connection that is given back stays open.
      return new MysqlConnection(link, async () => {
        if (!link.wire.closed && !this.#free.includes(link)) this.#free.push(link)
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((link) => link.wire.end()))
  }
}

const ACTION = "Cannot take a snapshot"
const ATTEMPTS = 10
const LOCK_WAIT_SECONDS = 5
