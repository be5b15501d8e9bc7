import type { LookupAddress } from "node:dns"
import { lookup as lookUp } from "node:dns/promises"
import http from "node:http"
import https from "node:https"
import type { LookupFunction } from "node:net"
import { Effect, Layer } from "effect"
import ipaddr from "ipaddr.js"
import { type HostPolicy, hostRefusal } from "../../core/server/sources/host-policy.ts"
import { type Message, SendError, WebhookSender } from "../../core/server/triggers/webhook-sender.ts"

export const webhookSenderLayer = Layer.succeed(WebhookSender, {
  post: (message) =>
    Effect.tryPromise({
      try: (signal) => post(message, signal),
      catch: (error) => (error instanceof SendError ? error : new SendError({ message: reasonOf(error) })),
    }),
})

async function post({ url, headers, body, timeoutMs, policy }: Message, signal: AbortSignal) {
  const target = new URL(url)
  const addresses = await addressesOf(target.hostname)
  const refused = refusalOf(target, addresses, policy)
  if (refused !== undefined) throw new SendError({ message: refused })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const { request } = target.protocol === "https:" ? https : http
    const options = { method: "POST", headers, signal: limit, lookup: answering(addresses), agent: false }
    const sent = request(target, options, (answer) => {
      let text = ""
      const done = () => resolve({ status: answer.statusCode ?? 0, text: text.slice(0, MOST_CHARACTERS) })
      answer.setEncoding("utf8")
      answer.on("data", (part: string) => {
        text += part
        // Nobody reads on: a stranger may send without end.
        if (text.length < MOST_CHARACTERS) return
        done()
        answer.destroy()
      })
      answer.on("end", done)
      answer.on("error", reject)
    })
    sent.on("error", reject)
    sent.end(body)
  })
}

async function addressesOf(hostname: string): Promise<readonly LookupAddress[]> {
  const literal = hostname.replace(/^\[|\]$/g, "")
  if (ipaddr.isValid(literal)) return [{ address: literal, family: literal.includes(":") ? 6 : 4 }]
  return lookUp(hostname, { all: true })
}

/** Every address is judged: whoever answers may choose any of them. */
function refusalOf(target: URL, addresses: readonly LookupAddress[], { allow, deny }: HostPolicy): string | undefined {
  const { hostname, protocol } = target
  const port = target.port === "" ? (protocol === "https:" ? 443 : 80) : Number(target.port)
  const place = { host: hostname.replace(/^\[|\]$/g, ""), port, addresses: addresses.map(({ address }) => address) }
  const denied = hostRefusal({ allow: [], deny }, place)
  if (denied !== undefined) return denied
  const inside = addresses.find(({ address }) => !isPublic(address))
  if (inside === undefined || (allow.length > 0 && hostRefusal({ allow, deny: [] }, place) === undefined))
    return undefined
  return `"${hostname}" is ${inside.address}, an address of this machine or of a private network: refused`
}

/** Gives what was looked up and judged before, whatever the name means by now. */
function answering(addresses: readonly LookupAddress[]): LookupFunction {
  return (_, options, callback) => {
    const [first] = addresses
    if (options.all) callback(null, [...addresses])
    else callback(null, first?.address ?? "", first?.family)
  }
}

/** IPv4 inside IPv6 is judged as what it is; what leads to another address, such as 6to4, is not public. */
export function isPublic(address: string): boolean {
  return ipaddr.process(address).range() === "unicast"
}

function reasonOf(error: unknown): string {
  const { code, message, name } = error as { code?: string; message?: string; name?: string }
  if (name === "TimeoutError" || name === "AbortError") return "No answer in time"
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Its name is unknown"
  if (code === "ECONNREFUSED") return "The connection was refused"
  return message ?? "It cannot be reached"
}

const MOST_CHARACTERS = 500
