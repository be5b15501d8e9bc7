import { afterAll, expect, test } from "bun:test"
import { Effect } from "effect"
import { type Message, WebhookSender } from "../../core/server/triggers/webhook-sender.ts"
import { isPublic, webhookSenderLayer } from "./webhook-sender.ts"

const received: { path: string; body: string; signature: string | null }[] = []
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  async fetch(request) {
    const { pathname: path } = new URL(request.url)
    received.push({ path, body: await request.text(), signature: request.headers.get("x-headrace-signature") })
    if (path === "/moved") return Response.redirect("http://169.254.169.254/latest/meta-data/", 302)
    if (path === "/silent") return new Promise<Response>(() => {})
    if (path === "/endless")
      return new Response(new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(65_536)) }))
    return new Response("thank you", { status: path === "/broken" ? 500 : 200 })
  },
})
afterAll(() => server.stop(true))

test("webhook-sender sends the body and the headers, and gives the answer's beginning", async () => {
  expect(await sent({ path: "/taken" })).toEqual({ status: 200, text: "thank you" })
  expect(received.at(-1)).toEqual({ path: "/taken", body: '{"a":1}', signature: "t=1,v1=00" })
  expect(await sent({ path: "/broken" })).toEqual({ status: 500, text: "thank you" })
})

test("webhook-sender refuses this machine, private networks and cloud metadata, however they are spelt", async () => {
  const before = received.length
  const hosts = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "2130706433",
    "0x7f.1",
    "[::ffff:127.0.0.1]",
    "169.254.169.254",
    "10.0.0.7",
  ]
  for (const host of hosts) {
    const error = await refusal({ url: `http://${host}:${server.port}/`, policy: { allow: [], deny: [] } })
    expect(error).toContain("an address of this machine or of a private network: refused")
  }
  expect(received.length).toBe(before)
})

test("webhook-sender goes to private places that are allowed, but never to denied ones", async () => {
  const post = (policy: Message["policy"]) => refusal({ policy })
  expect(await post({ allow: ["127.0.0.1:1"], deny: [] })).toContain("refused")
  expect(await post({ allow: ["127.0.0.1"], deny: ["127.0.0.0/8"] })).toContain('denied by the rule "127.0.0.0/8"')
  expect(await sent({ policy: { allow: ["127.0.0.1"], deny: ["10.0.0.0/8"] } })).toMatchObject({ status: 200 })
})

test("webhook-sender does not follow a redirect, wait for ever, or read without end", async () => {
  expect(await sent({ path: "/moved" })).toMatchObject({ status: 302 })
  expect(await refusal({ path: "/silent", timeoutMs: 200 })).toBe("No answer in time")
  expect((await sent({ path: "/endless" })).text).toHaveLength(500)
  // A machine without a network may ask for long.
  const unknown = { url: "http://nowhere.invalid/", timeoutMs: 14_000, policy: { allow: [], deny: [] } }
  expect(await refusal(unknown)).toBe("Its name is unknown")
})

test("webhook-sender knows which addresses are public", () => {
  const of = (addresses: readonly string[]) => addresses.map(isPublic)
  expect(of(["8.8.8.8", "2001:4860:4860::8888"])).toEqual([true, true])
  const others = [
    "100.64.0.1",
    "0.0.0.0",
    "fd00::1",
    "fe80::1",
    "fec0::1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "224.0.0.1",
  ]
  expect(of(others)).toEqual(others.map(() => false))
})

type Given = Partial<Message> & { readonly path?: string }

function post({ path = "/", ...given }: Given) {
  const message = {
    url: `http://127.0.0.1:${server.port}${path}`,
    headers: { "x-headrace-signature": "t=1,v1=00" },
    ...{ body: '{"a":1}', timeoutMs: 5000, policy: { allow: [`127.0.0.0/8:${server.port}`], deny: [] } },
    ...given,
  }
  return WebhookSender.use((sender) => sender.post(message)).pipe(Effect.provide(webhookSenderLayer))
}

function sent(given: Given) {
  return Effect.runPromise(post(given))
}

async function refusal(given: Given): Promise<string> {
  return (await Effect.runPromise(Effect.flip(post(given)))).message
}
