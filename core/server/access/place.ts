import { Result } from "effect"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"

/** What stands for an address where it is counted: whoever has an IPv6 address has a whole /64 of them. */
export function placeOf(address: string): string {
  const read = NetAddress.ipFromString(address)
  if (Result.isFailure(read)) return address
  const ip = NetAddress.toCanonical(read.success)
  return NetAddress.isIpv6Address(ip) ? IpNetwork.format(IpNetwork.fromAddressUnsafe(ip, 64)) : NetAddress.formatIp(ip)
}
