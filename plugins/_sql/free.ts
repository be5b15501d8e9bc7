/**
 * Gives the memory of a chunk back at once. Every read of a socket comes in memory of its own; left to the collector,
 * that would be most of what it has to look for.
 */
export function free(chunk: Uint8Array): void {
  const { buffer } = chunk
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0)
}
