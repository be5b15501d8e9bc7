import type { Session } from "../../core/contract/index.ts"
import { quoted } from "./mysql-dialect.ts"
import type { Link } from "./mysql-link.ts"

type Run = Session["run"]

/** Takes the lock `name` for this connection; the server frees it when the connection ends, however it ends. */
export async function takeLock(link: Link, name: string): Promise<boolean> {
  const action = `Cannot take the lock "${name}"`
  // User locks belong to the whole server, and two databases of it may hold tables of one name.
  const [scope] = await link.rows(action, "SELECT DATABASE()")
  const lock = quoted(`headrace:lock:${await digest(`${scope?.[0] ?? ""}\0${name}`)}`)
  const [row] = await link.rows(action, `SELECT GET_LOCK(${lock}, 0)`)
  if (row?.[0] === null || row?.[0] === undefined) {
    throw link.failure("resource", `${action}: the server gives neither the lock nor a reason`)
  }
  return row[0] === "1"
}

/**
 * An expression that makes the connection known as one of this attempt: it takes the first of the attempt's locks that
 * is free. CASE stops at the first that it gets. Absent for the console, whose connections belong to no run.
 */
export async function identification(run: Run): Promise<string | undefined> {
  if (run.id === "console") return undefined
  const attempts = (await attemptLocks(run.id, run.fence)).map(
    (lock, i) => `WHEN GET_LOCK(${lock}, 0) = 1 THEN ${i + 1}`,
  )
  return `CASE ${attempts.join(" ")} END`
}

/**
 * Ends the connections of earlier attempts at a run. A lock is freed after its connection's transaction was rolled
 * back, so a free lock says that nothing of the attempt is left.
 */
export async function evictEarlier(link: Link, run: Run): Promise<void> {
  const action = `Cannot end what an earlier attempt at run "${run.id}" has left`
  const killed = new Set<string>()
  const end = performance.now() + PATIENCE_MS
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 500)) {
    const holders = await holdersOf(link, run, action)
    if (holders.length === 0) return
    for (const holder of holders) {
      if (killed.has(holder)) continue
      await kill(link, holder, action)
      killed.add(holder)
    }
    if (performance.now() >= end) {
      throw link.failure("conflict", `${action}: connection ${holders[0]} was told to end, and still has its locks`, {
        retryable: true,
        hint: "Wait until the server has rolled back what it had open, then resume again",
      })
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

async function holdersOf(link: Link, { id, fence }: Run, action: string): Promise<readonly string[]> {
  const holders = new Set<string>()
  for (let from = 1; from < fence; from += FENCES_AT_ONCE) {
    const fences = Array.from({ length: Math.min(FENCES_AT_ONCE, fence - from) }, (_, i) => from + i)
    const locks = (await Promise.all(fences.map((earlier) => attemptLocks(id, earlier)))).flat()
    const [row] = await link.rows(action, `SELECT ${locks.map((lock) => `IS_USED_LOCK(${lock})`).join(", ")}`)
    for (const holder of row ?? []) if (holder !== null && /^\d+$/.test(holder)) holders.add(holder)
  }
  return [...holders]
}

async function kill(link: Link, holder: string, action: string): Promise<void> {
  try {
    await link.run(action, `KILL CONNECTION ${holder}`)
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string } // a failure, by its shape
    if (code === GONE) return
    if (code !== DENIED) throw cause
    const privilege = link.facts.mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN (before MySQL 8: SUPER)"
    throw link.failure("conflict", message, {
      cause,
      retryable: false,
      code,
      hint: `Grant the user ${privilege}, or end connection ${holder} yourself`,
    })
  }
}

async function attemptLocks(id: string, fence: number): Promise<readonly string[]> {
  // MySQL allows 64 characters and compares them without regard to case: of the letter in run ids there is one case only.
  const short = /^[a-su-z\dT_.-]{1,40}$/.test(id) ? id : await digest(id)
  return Array.from({ length: CONNECTIONS }, (_, i) => quoted(`headrace:${short}:${fence}:${i + 1}`))
}

/** 32 hexadecimal digits of the text's SHA-256. */
async function digest(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))
  return Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** More connections than that stay unknown to the server; the commit ledger keeps them from committing all the same. */
const CONNECTIONS = 64
/** A result has at most 4096 columns. */
const FENCES_AT_ONCE = 32
const PATIENCE_MS = 60_000
const GONE = "1094"
const DENIED = "1095"
