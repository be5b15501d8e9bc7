import { Result } from "effect"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"

/** Where a request comes from, as far as it can be known. */
export interface Origin {
  /** Of the client, or of the last machine on the way that is not a trusted proxy. */
  readonly address: string
  readonly isSecure: boolean
  /** Origins under which people reach the server, as its settings say. */
  readonly publicUrls: readonly string[]
}

/** What is known of the way to the server. */
export interface Way {
  /** Address of the other end of the connection. */
  readonly peer: string
  readonly proxies: readonly string[]
  readonly publicUrls: readonly string[]
}

/** Proxies write what they know to the right of what they were told, so the headers are read from the right. */
export function originOf(request: Request, { peer, proxies, publicUrls }: Way): Origin {
  // Where the public address is encrypted, whoever has come by its name has come by a proxy that takes care of it.
  const isTls = request.url.startsWith("https:") || publicUrls.some((url) => url === `https://${hostOf(request)}`)
  if (!isWithin(peer, proxies)) return { address: peer, isSecure: isTls, publicUrls }
  const isSecure = isTls || request.headers.get("x-forwarded-proto")?.split(",").at(-1)?.trim() === "https"
  const way = (request.headers.get("x-forwarded-for") ?? "").split(",").map((each) => each.trim())
  let address = peer
  for (const each of way.toReversed()) {
    if (Result.isFailure(NetAddress.ipFromString(each))) break
    address = each
    if (!isWithin(each, proxies)) break
  }
  return { address, isSecure, publicUrls }
}

/**
 * Whether the server goes by the name of the `Host` header. A page of a stranger can give its own name our address (DNS
 * rebinding), so names are listed; an address cannot be given to anybody.
 */
export function isKnownHost(host: string, known: readonly string[]): boolean {
  const name = (host.startsWith("[") ? host.slice(1, host.indexOf("]")) : host.replace(/:\d+$/, "")).toLowerCase()
  if (name === "localhost" || name.endsWith(".localhost")) return true
  if (Result.isSuccess(NetAddress.ipFromString(name))) return true
  return known.some((each) => (each.startsWith("*.") ? name.endsWith(each.slice(1)) : name === each.toLowerCase()))
}

/**
 * Whether a browser says that a page of somebody else has made this request. Old browsers and programs say nothing;
 * for them the token in the header decides.
 */
export function isFromElsewhere(request: Request, publicUrls: readonly string[]): boolean {
  const site = request.headers.get("sec-fetch-site")
  if (site !== null && site !== "same-origin" && site !== "none") return true
  const origin = request.headers.get("origin")
  if (origin === null) return false
  // A proxy may have put its own name for the server in the place of the one that the browser knows.
  return !URL.canParse(origin) || (new URL(origin).host !== hostOf(request) && !publicUrls.includes(origin))
}

/** Name and port that were asked for. */
export function hostOf(request: Request): string {
  return request.headers.get("host") ?? new URL(request.url).host
}

function isWithin(address: string, networks: readonly string[]): boolean {
  const ip = NetAddress.ipFromString(address)
  if (Result.isFailure(ip)) return networks.includes(address)
  const plain = NetAddress.toCanonical(ip.success)
  return networks.some((each) => {
    const network = IpNetwork.fromString(each.replace(/[[\]]/g, ""))
    if (Result.isSuccess(network)) return IpNetwork.contains(network.success, plain)
    const one = NetAddress.ipFromString(each)
    return Result.isSuccess(one) && NetAddress.formatIp(one.success) === NetAddress.formatIp(plain)
  })
}
