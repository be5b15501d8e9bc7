/** True for an IPv4 or IPv6 address, false for a name. */
export function isIpAddress(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}

/** Whether a certificate's alternative names (`DNS:db.example, IP Address:10.0.0.5`) hold this address. */
export function namesAddress(alternativeNames: string, address: string): boolean {
  const wanted = expand(address)
  return alternativeNames.split(", ").some((name) => {
    const match = /^IP(?: Address)?:(.+)$/.exec(name)
    return match !== null && expand(match[1]!) === wanted
  })
}

/** IPv6 has many spellings; this gives one. */
function expand(address: string): string {
  if (!address.includes(":")) return address
  const [head = "", tail] = address.toLowerCase().split("::")
  const left = head === "" ? [] : head.split(":")
  const right = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0")
  return [...left, ...zeros, ...right].map((group) => group.replace(/^0+(?=.)/, "")).join(":")
}
