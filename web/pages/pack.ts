import type { Asset, Assets } from "./assets.ts"

type Range = readonly [start: number, end: number]

interface Entry {
  readonly path: string
  readonly type: string
  readonly tag: string
  readonly bytes: Range
  readonly br?: Range
  readonly gzip?: Range
}

/** All files of the pages as one: length of the list, the list, the bytes. */
export function packAssets(assets: readonly Asset[]): Uint8Array {
  const blobs: Uint8Array[] = []
  let at = 0
  const put = (bytes: Uint8Array): Range => {
    blobs.push(bytes)
    at += bytes.length
    return [at - bytes.length, at]
  }
  const entries: Entry[] = assets.map(({ path, type, tag, bytes, br, gzip }) => ({
    path,
    type,
    tag,
    bytes: put(bytes),
    ...(br && { br: put(br) }),
    ...(gzip && { gzip: put(gzip) }),
  }))
  const list = new TextEncoder().encode(JSON.stringify(entries))
  const pack = new Uint8Array(4 + list.length + at)
  new DataView(pack.buffer).setUint32(0, list.length)
  pack.set(list, 4)
  let offset = 4 + list.length
  for (const blob of blobs) {
    pack.set(blob, offset)
    offset += blob.length
  }
  return pack
}

/** Finds files in what {@link packAssets} made. */
export function unpackAssets(pack: Uint8Array): Assets {
  const length = new DataView(pack.buffer, pack.byteOffset).getUint32(0)
  // Made by packAssets, in the same build.
  const entries = JSON.parse(new TextDecoder().decode(pack.subarray(4, 4 + length))) as readonly Entry[]
  const part = ([start, end]: Range) => pack.subarray(4 + length + start, 4 + length + end)
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  return (path) => {
    const entry = byPath.get(path)
    if (entry === undefined) return undefined
    const { type, tag, bytes, br, gzip } = entry
    return { path, type, tag, bytes: part(bytes), ...(br && { br: part(br) }), ...(gzip && { gzip: part(gzip) }) }
  }
}
