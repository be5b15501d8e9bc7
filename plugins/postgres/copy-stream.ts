import { COPY_DATA, message } from "./copy-message.ts"
import type { Link } from "./postgres-connection.ts"
import type { TupleFormat } from "./tuple.ts"

const SIGNATURE = message(COPY_DATA, Uint8Array.of(80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0))
const COPY_DONE = message(0x63, new Uint8Array(0))
const TRAILER_AND_DONE = Uint8Array.from([...message(COPY_DATA, Uint8Array.of(255, 255)), ...COPY_DONE])

/** A COPY FROM STDIN in progress. */
export interface CopyStream {
  /** Sends whole messages; fails with what the server has said to earlier ones. */
  write(messages: Uint8Array): Promise<void>
  /** Says that no more rows follow; resolves when the server has taken them all. Another COPY may follow at once. */
  end(): Promise<void>
}

/**
 * Past the driver, and without waiting for the server to agree: it would stand idle for a round trip between two COPYs,
 * and what is sent to one that it refuses it ignores.
 */
export function openCopy(link: Link, statement: string, signal: AbortSignal, format: TupleFormat): CopyStream {
  signal.throwIfAborted()
  const { wire } = link
  const binary = format.name === "binary"
  let failure: { readonly error: unknown } | undefined
  const answer = wire.ask(statement)
  const stop = () => {
    failure ??= { error: signal.reason ?? new Error("aborted") }
    // A server that waits for a lock does not see that a connection is gone.
    void wire.cancel().catch(() => undefined)
    void link.destroy()
  }
  signal.addEventListener("abort", stop, { once: true })
  const settled = answer
    .catch((error: unknown) => {
      failure ??= { error }
    })
    .finally(() => signal.removeEventListener("abort", stop))
  const send = async (messages: Uint8Array) => {
    if (failure === undefined) {
      // The answer to what it has refused may be there while the connection is lost over it.
      await wire.send(messages).catch((error: unknown) => {
        failure ??= { error }
      })
    }
    if (failure !== undefined) throw failure.error
  }
  // Too little to wait for room; whoever writes rows learns of a failure.
  if (binary) void send(SIGNATURE).catch(() => undefined)
  return {
    write: send,
    async end() {
      // In one piece, before anything else is awaited: the next statement may follow at once.
      if (failure === undefined) await send(binary ? TRAILER_AND_DONE : COPY_DONE).catch(() => undefined)
      await settled
      if (failure !== undefined) throw failure.error
    },
  }
}
