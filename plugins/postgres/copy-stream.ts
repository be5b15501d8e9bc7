import type { Link } from "./postgres-connection.ts"
import type { TupleFormat } from "./tuple.ts"

const SIGNATURE = new Uint8Array([80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0])
const TRAILER = new Uint8Array([255, 255])

/** A COPY FROM STDIN in progress. */
export interface CopyStream {
  write(data: Uint8Array): Promise<void>
  end(): Promise<void>
}

export async function openCopy(
  link: Link,
  statement: string,
  signal: AbortSignal,
  format: TupleFormat,
): Promise<CopyStream> {
  signal.throwIfAborted()
  const pending = link.sql.unsafe(statement)
  // The server answers when it has the table's lock.
  const stream = await link.cancellable(pending, signal, () => pending.writable())
  let failed: unknown
  let finished = false
  let wake: (() => void) | undefined
  const stop = () => {
    failed ??= signal.reason ?? new Error("aborted")
    link.cancel(pending)
    void link.destroy()
    wake?.()
  }
  const settle = (error?: unknown) => {
    if (error !== undefined && error !== null) failed ??= error
    finished = true
    signal.removeEventListener("abort", stop)
    wake?.()
  }
  signal.addEventListener("abort", stop, { once: true })
  // Behind the last byte the driver tells a failure to the query alone, which is resolved already.
  Object.assign(pending, { reject: settle })
  stream.on("error", settle)
  stream.on("finish", () => settle())
  stream.on("close", () => settle())
  // While the server was answering nobody listened.
  if (signal.aborted) stop()
  const wait = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  const write = async (data: Uint8Array, framed: boolean) => {
    if (failed !== undefined) throw failed
    if (finished) throw new Error("The server ended the COPY early")
    await link.wire.send(data, framed)
    if (failed !== undefined) throw failed
  }
  if (format.name === "binary") await write(SIGNATURE, false)
  return {
    write: (data) => write(data, format.framed),
    async end() {
      if (failed === undefined && !finished) {
        if (format.name === "binary") await write(TRAILER, false)
        stream.end()
        while (!finished && failed === undefined) await Promise.race([wait(), link.wire.gone])
      }
      if (failed !== undefined) throw failed
    },
  }
}
