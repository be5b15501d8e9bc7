import type { Session } from "../../core/contract/index.ts"
import { Link } from "./mysql-link.ts"
import type { MysqlSettings } from "./mysql-settings.ts"

/**
 * Who keeps connection `id` waiting. Of row locks the server tells the holder, where the user has the privilege PROCESS;
 * of tables that are locked or altered it tells no more than that it waits.
 */
export async function waitsFor(settings: MysqlSettings, session: Session, id: number): Promise<readonly string[]> {
  // Belongs to no run, and is not cancelled with it.
  const own: Session = { ...session, signal: new AbortController().signal, run: { id: "console", fence: 1 } }
  const link = await Link.open(settings, own)
  try {
    const holders = await link.rows(ACTION, HOLDERS(id)).catch(() => [])
    if (holders.length > 0) return holders.map(([line]) => line!)
    const [row] = await link.rows(ACTION, STATE(id))
    const state = row?.[0] ?? ""
    if (!/lock/i.test(state)) return []
    return [`${state}, and the server does not tell who has it (SHOW FULL PROCESSLIST lists those who might)`]
  } finally {
    await link.wire.end()
  }
}

const ACTION = "Cannot ask who is waited for"

const HOLDERS = (id: number) => `
  SELECT DISTINCT CONCAT('connection ', b.trx_mysql_thread_id, COALESCE(CONCAT(' of user "', p.USER, '"'), ''),
    ' holds locks since ', b.trx_started)
  FROM information_schema.INNODB_LOCK_WAITS w
  JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id
  JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id
  LEFT JOIN information_schema.PROCESSLIST p ON p.ID = b.trx_mysql_thread_id
  WHERE r.trx_mysql_thread_id = ${id}`

const STATE = (id: number) => `SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = ${id}`
