import { addressIn, type Network, networkOf } from "./ip-address.ts"

/** Where data sources may lead. A rule is a name, `*.name`, an address or a network in CIDR, then maybe `:port` or `:from-to`. */
export interface HostPolicy {
  /** Empty: everywhere that is not denied. */
  readonly allow: readonly string[]
  /** Wins over `allow`. */
  readonly deny: readonly string[]
}

export interface HostPlace {
  readonly host: string
  /** Absent: any port. */
  readonly port?: number
  /** What the name has been resolved to; absent: it was not yet. */
  readonly addresses?: readonly string[]
}

/**
 * Why a place is forbidden, undefined where it is not. A name that was not resolved is judged by name alone, so whoever
 * connects asks again with every address that it has found.
 */
export function hostRefusal({ allow, deny }: HostPolicy, place: HostPlace): string | undefined {
  const host = plainHost(place.host)
  if (host === undefined) return `"${place.host}" is no host name and no address`
  const addresses = networkOf(host) === undefined ? (place.addresses ?? []) : [host]
  const where = place.port === undefined ? host : `${host}, port ${place.port},`
  const denied = deny
    .map(parseRule)
    .find((rule) => rule !== undefined && meets(rule, host, addresses, place.port, "any"))
  if (denied !== undefined) return `${where} is denied by the rule "${denied.text}"`
  if (allow.length === 0) return undefined
  const rules = allow.map(parseRule).filter((rule) => rule !== undefined)
  if (rules.some((rule) => meets(rule, host, addresses, place.port, "all"))) return undefined
  // Networks can only be told once the name is resolved.
  const isOpen =
    addresses.length === 0 && rules.some((rule) => rule.network !== undefined && hasPort(rule, place.port, "all"))
  return isOpen && networkOf(host) === undefined && place.addresses === undefined
    ? undefined
    : `${where} is not among the hosts that are allowed`
}

/** A host in the one spelling that rules are compared with; undefined for what is none. Sockets are this machine. */
export function plainHost(host: string): string | undefined {
  if (host.startsWith("/")) return "localhost"
  if (/[\s\\/?#@,%]/.test(host) || host === "") return undefined
  const isAddress = host.includes(":") && !host.startsWith("[")
  const url = `http://${isAddress ? `[${host}]` : host}/`
  // The parser of URLs knows every spelling of an address, such as 0x7f.1.
  if (!URL.canParse(url)) return undefined
  const { hostname, port } = new URL(url)
  if (port !== "" || /:\d*$/.test(isAddress || host.startsWith("[") ? "" : host)) return undefined
  return hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "")
}

/** What is wrong with a rule, if something is. */
export function ruleFault(text: string): string | undefined {
  return parseRule(text) === undefined
    ? `"${text}" is no rule: write a host name, *.name, an address or a network such as 10.0.0.0/8, then maybe :port`
    : undefined
}

interface Rule {
  readonly text: string
  readonly name?: string
  readonly network?: Network
  readonly ports?: readonly [number, number]
}

const RULE = /^(\[[^\]]+\](?:\/\d+)?|[^:[\]]+)(?::(\d{1,5})(?:-(\d{1,5}))?)?$/

function parseRule(text: string): Rule | undefined {
  const bare = networkOf(text)
  if (bare !== undefined) return { text, network: bare }
  const found = RULE.exec(text)
  if (found === null) return undefined
  const [, host = "", from, to = from] = found
  const range = from === undefined ? undefined : ([Number(from), Number(to)] as const)
  if (range !== undefined && (range[1] > 65_535 || range[0] > range[1])) return undefined
  const ports = range === undefined ? {} : { ports: range }
  const network = networkOf(host)
  if (network !== undefined) return { text, network, ...ports }
  if (host.includes("/")) return undefined
  const name = host === "*" ? "*" : plainHost(host.replace(/^\*\./, ""))
  if (name === undefined) return undefined
  const spelt = networkOf(name)
  if (spelt !== undefined) return { text, network: spelt, ...ports }
  return { text, name: host.startsWith("*.") ? `*.${name}` : name, ...ports }
}

function meets(
  rule: Rule,
  host: string,
  addresses: readonly string[],
  port: number | undefined,
  how: "any" | "all",
): boolean {
  if (!hasPort(rule, port, how)) return false
  const { name, network } = rule
  if (name !== undefined)
    return name === "*" || name === host || (name.startsWith("*.") && host.endsWith(name.slice(1)))
  if (network === undefined) return false
  const isLoopbackName = host === "localhost" && addresses.length === 0
  const known = isLoopbackName ? ["127.0.0.1", "::1"] : addresses
  if (known.length === 0) return false
  return how === "any" || isLoopbackName
    ? known.some((address) => addressIn(network, address))
    : known.every((address) => addressIn(network, address))
}

/** A port that nobody knows is met by what denies it, and by nothing that allows it. */
function hasPort({ ports }: Rule, port: number | undefined, how: "any" | "all"): boolean {
  if (ports === undefined) return true
  return port === undefined ? how === "any" : port >= ports[0] && port <= ports[1]
}
