import type { Batch, Frame, LoadRequest, Session } from "../../core/contract/index.ts"
import { TAB_SEPARATED } from "../_sql/tab-separated.ts"
import { BatchWriter, Chunk } from "./mysql-chunk.ts"
import { isTransactional } from "./mysql-describe.ts"
import { Forwarder, FrameWriter } from "./mysql-forward.ts"
import { columnsAsKept } from "./mysql-json.ts"
import type { Link } from "./mysql-link.ts"
import { Placer } from "./mysql-place.ts"
import { targetOf } from "./mysql-target.ts"

/** Loads batches, or forwarded text, inside the open transaction. While one chunk is at the server, the next one is written. */
export async function load(
  link: Link,
  request: LoadRequest,
  rows: AsyncIterable<Batch | Frame>,
  session: Session,
): Promise<{ written: number }> {
  let abandoned: Promise<void> | undefined
  const onAbort = () => {
    abandoned = link.abandon()
  }
  if (session.signal.aborted) onAbort()
  session.signal.addEventListener("abort", onAbort, { once: true })
  try {
    return { written: await loadAll(link, request, rows, session) }
  } catch (cause) {
    if (!session.signal.aborted) throw cause
    throw session.failure("cancelled", `Cannot load into "${request.table.name}": the run was cancelled`, { cause })
  } finally {
    session.signal.removeEventListener("abort", onAbort)
    // Until the server was told: the connection over which it is told would otherwise outlive the load.
    await abandoned
  }
}

async function loadAll(
  link: Link,
  asked: LoadRequest,
  rows: AsyncIterable<Batch | Frame>,
  own: Session,
): Promise<number> {
  const { mariadb } = link.facts
  const request = { ...asked, columns: columnsAsKept(asked.columns, link.facts) }
  const session = mariadb ? own : withNegativeZeros(own)
  const action = `Cannot load into "${request.table.name}"`
  const { engine, safe } = await isTransactional(link, request.table)
  if (!safe) {
    throw session.failure("unsupported", `${action}: its engine ${engine} has no transactions`, {
      hint: "Change the table to ENGINE=InnoDB",
    })
  }
  await link.run(
    action,
    `SET SESSION innodb_lock_wait_timeout = CAST(LEAST(@@innodb_lock_wait_timeout, ${LOCK_WAIT_SECONDS}) AS UNSIGNED)`,
  )
  if (request.mode !== "append" && request.keyColumns.length === 0) {
    throw session.failure("config", `${action}: mode "${request.mode}" needs key columns`)
  }
  const target = await targetOf(link, request)
  if (target.stage) await link.run(`${action}: rows with keys need a temporary table`, target.stage.create)
  const placer = new Placer(link, request, target, session)
  // Two chunks, and each may reserve a tenth more than it holds.
  const bytes = Math.max(Math.floor(session.settings.bufferBytes / 2.2), 65_536)
  const forwarder = new Forwarder(placer, request, session, { bytes: bytes >> 2, hasNegativeZeros: !mariadb })
  const place = (chunk: Chunk) => (chunk.isText ? forwarder.place(chunk) : placer.place(chunk))
  let filling = new Chunk(bytes)
  let spare: Chunk | undefined
  let placing: Promise<void> = Promise.resolve()
  let failure: { readonly cause: unknown } | undefined
  const send = async () => {
    await placing
    if (failure) throw failure.cause
    const chunk = filling
    filling = spare ?? new Chunk(bytes)
    spare = chunk
    filling.clear()
    const begun = link.wire.fileBegun()
    placing = place(chunk).catch((cause) => {
      failure = { cause }
    })
    // The server waits for the chunk meanwhile, and rows that are ready would come before its answers.
    await Promise.race([begun, placing])
  }
  for await (const item of rows) {
    if (item.encoding !== undefined && item.encoding !== TAB_SEPARATED) {
      throw session.failure("protocol", `${action}: rows in the encoding "${item.encoding}" were not asked for`)
    }
    const writer = item.encoding === undefined ? new BatchWriter(item, request, session) : new FrameWriter(item)
    while (!writer.fill(filling)) await send()
    if (filling.full) await send()
    if (failure) break
  }
  await placing
  if (failure) throw failure.cause
  if (filling.rows > 0) await place(filling)
  if (target.stage) await link.run(action, `DROP TEMPORARY TABLE ${target.into}`)
  return placer.written
}

/** MariaDB has one zero, whose sign is counted as lost; MySQL has both. */
function withNegativeZeros(session: Session): Session {
  return {
    ...session,
    adjusted: (policy, column, values) => {
      if (policy !== "negativeZero") session.adjusted(policy, column, values)
    },
  }
}

/**
 * A load that waits costs the one it waits for: InnoDB gives each row that is inserted into a gap the locks of all who
 * wait for that gap, so that rows come ever slower. Who has waited long enough starts again when it is alone.
 */
const LOCK_WAIT_SECONDS = 5
