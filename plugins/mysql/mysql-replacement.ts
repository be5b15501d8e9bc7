import type { Replacement, TableName } from "../../core/contract/index.ts"
import { qualified } from "./mysql-dialect.ts"
import type { Link } from "./mysql-link.ts"
import { obstaclesOf } from "./mysql-obstacles.ts"
import { exchangePartition } from "./mysql-partition.ts"
import { difference, structureOf } from "./mysql-structure.ts"

/**
 * Replaces a table by an exchange of names. RENAME TABLE gives two tables their new names in one step that nobody sees
 * the middle of. Grants, views and routines know a table by its name, so they go on with the new one.
 */
export function replacementOn(link: Link): Replacement {
  return {
    isTransactional: false,
    obstacles: (table) => obstaclesOf(link, table),
    createStage: (table, stage) => createStage(link, table, stage),
    swap: (names) => withLockTimeout(link, names.lockTimeoutMs, () => swap(link, names)),
    swapPartition: (request) => withLockTimeout(link, request.lockTimeoutMs, () => exchangePartition(link, request)),
    contents: (table) => checksum(link, table),
  }
}

/** Drops a table that holds nothing, with the lock that lets nobody write in between. */
export async function dropEmpty(link: Link, table: TableName): Promise<boolean> {
  const action = `Cannot drop "${table.name}" if it is empty`
  try {
    await link.run(action, `LOCK TABLES ${qualified(table)} WRITE`)
  } catch (cause) {
    // Who may not lock it (LOCK TABLES) cannot tell.
    if ((cause as { reason?: string }).reason === "permission") return false // a failure, by its shape
    throw cause
  }
  try {
    const [row] = await link.rows(action, `SELECT EXISTS (SELECT 1 FROM ${qualified(table)})`)
    if (row?.[0] !== "0") return false
    await link.run(action, `DROP TABLE ${qualified(table)}`)
    return true
  } finally {
    if (!link.wire.closed) await link.settle(action, "UNLOCK TABLES")
  }
}

async function createStage(link: Link, table: TableName, stage: TableName): Promise<void> {
  const action = `Cannot create "${stage.name}" like "${table.name}"`
  const wanted = await structureOf(link, table)
  await link.run(action, `CREATE TABLE ${qualified(stage)} LIKE ${qualified(table)}`)
  try {
    await raiseCounter(link, action, stage, wanted.counter)
    const different = difference(wanted, await structureOf(link, stage))
    if (different === undefined) return
    throw link.failure("unsupported", `${action}: the server does not copy "${different}"`)
  } catch (cause) {
    await link.settle(action, `DROP TABLE ${qualified(stage)}`).catch(() => {})
    throw cause
  }
}

async function swap(link: Link, names: { table: TableName; stage: TableName; old: TableName }): Promise<void> {
  const { table, stage, old } = names
  const action = `Cannot put "${stage.name}" in the place of "${table.name}"`
  const obstacles = await obstaclesOf(link, table)
  if (obstacles.length > 0) throw link.failure("config", `${action}: ${obstacles.join("; ")}`)
  const [before, made] = [await structureOf(link, table), await structureOf(link, stage)]
  const different = difference(before, made)
  if (different !== undefined) {
    throw link.failure("conflict", `${action}: they differ in "${different}"`, {
      retryable: false,
      hint: "Somebody has changed the table since it was copied: run again",
    })
  }
  if (before.counter > made.counter) await raiseCounter(link, action, stage, before.counter)
  await link.run(
    action,
    `RENAME TABLE ${qualified(table)} TO ${qualified(old)}, ${qualified(stage)} TO ${qualified(table)}`,
  )
  try {
    // Somebody may have inserted between the look and the exchange.
    const { counter } = await structureOf(link, old)
    if (counter > before.counter && counter > made.counter) await raiseCounter(link, action, table, counter)
  } catch {
    // The swap has taken place; to fail now would say that it has not.
  }
}

async function raiseCounter(link: Link, action: string, table: TableName, counter: bigint): Promise<void> {
  if (counter > 1n) await link.run(action, `ALTER TABLE ${qualified(table)} AUTO_INCREMENT = ${counter}`)
}

/** The server counts in seconds, so it waits up to one longer than it is told. */
async function withLockTimeout<T>(link: Link, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const action = "Cannot limit the wait for locks"
  const [row] = await link.rows(action, "SELECT @@SESSION.lock_wait_timeout")
  await link.run(action, `SET SESSION lock_wait_timeout = ${Math.max(1, Math.ceil(timeoutMs / 1000))}`)
  try {
    return await work()
  } finally {
    if (!link.wire.closed) await link.settle(action, `SET SESSION lock_wait_timeout = ${Number(row?.[0])}`)
  }
}

async function checksum(link: Link, table: TableName): Promise<string> {
  const action = `Cannot compute the checksum of "${table.name}"`
  const [row] = await link.rows(action, `CHECKSUM TABLE ${qualified(table)}`)
  const sum = row?.[1]
  if (sum === null || sum === undefined) throw link.failure("missing", `${action}: it does not exist`)
  return sum
}
