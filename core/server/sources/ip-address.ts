/** A range of addresses: the first `bits` of 128 count. IPv4 lies in ::ffff:0:0/96. */
export interface Network {
  readonly value: bigint
  readonly bits: number
}

/** Reads an address, or a network in CIDR notation; IPv6 may stand in brackets. */
export function networkOf(text: string): Network | undefined {
  const [, bracketed, plain, length] = /^(?:\[([\da-fA-F:.]+)\]|([\da-fA-F:.]+))(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = bracketed ?? plain ?? ""
  const v4 = readV4(address)
  const value = v4 === undefined ? readV6(address) : MAPPED | v4
  if (value === undefined) return undefined
  const bits = length === undefined ? 128 : Number(length) + (v4 === undefined ? 0 : 96)
  return bits > 128 ? undefined : { value, bits }
}

export function addressIn(network: Network, address: string): boolean {
  const other = networkOf(address)
  if (other === undefined) return false
  const shift = BigInt(128 - network.bits)
  return other.value >> shift === network.value >> shift
}

function readV4(text: string): bigint | undefined {
  const parts = text.split(".")
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return undefined
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function readV6(text: string): bigint | undefined {
  if (!text.includes(":")) return undefined
  const tail = text.slice(text.lastIndexOf(":") + 1)
  const v4 = readV4(tail)
  const hex =
    v4 === undefined ? text : `${text.slice(0, -tail.length)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`
  const halves = hex.split("::")
  if (halves.length > 2) return undefined
  const [before = [], after = []] = halves.map((half) => (half === "" ? [] : half.split(":")))
  const groups = [...before, ...after]
  if (groups.some((group) => !/^[\da-fA-F]{1,4}$/.test(group))) return undefined
  const missing = 8 - groups.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const all = [...before, ...Array<string>(missing).fill("0"), ...after]
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

const MAPPED = 0xffff_0000_0000n
