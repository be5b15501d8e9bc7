import { int32 } from "./binary-write.ts"

/** CopyData, of whatever direction. */
export const COPY_DATA = 0x64
/** A message's type and length. */
export const HEADER_BYTES = 5
/**
 * What a CopyData message is closed at: rows of their own cost the server a tenth of its time, and what it has read of a
 * small message is still in its cache when it takes the rows (measured).
 */
export const MESSAGE_BYTES = 32_768

/** Writes the header of the message `out[start .. end)`. */
export function seal(out: Uint8Array, start: number, end: number): void {
  out[start] = COPY_DATA
  int32(out, start + 1, end - start - 1)
}

/** A message of its own for some bytes. */
export function message(type: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + payload.length)
  out.set(payload, HEADER_BYTES)
  seal(out, 0, out.length)
  out[0] = type
  return out
}
