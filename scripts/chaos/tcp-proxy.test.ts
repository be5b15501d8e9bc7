import { afterEach, expect, test } from "bun:test"
import { connect, createServer, type Socket } from "node:net"
import { TcpProxy } from "./tcp-proxy.ts"

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test("tcp-proxy passes bytes and half-closes both ways", async () => {
  const { client, server } = await connected()
  client.write("question")
  expect(await server.next(8)).toBe("question")
  client.socket.end()
  expect(await server.ending()).toBe("end")
  server.write("answer")
  expect(await client.next(6)).toBe("answer")
  server.socket.end()
  expect(await client.ending()).toBe("end")
})

test("tcp-proxy passes more than the buffers hold, in order, to a reader that is slow", async () => {
  const { client, server } = await connected()
  const sent = Buffer.alloc(20_000_000, "0123456789abcdefghijklm")
  server.socket.pause()
  client.write(sent)
  await Bun.sleep(50)
  server.socket.resume()
  expect(Bun.hash(await server.next(sent.length))).toBe(Bun.hash(sent.toString("latin1")))
})

test("tcp-proxy resets both ends", async () => {
  const { client, server, proxy } = await connected()
  proxy.suffer({ kind: "reset" })
  expect(await client.ending()).toBe("ECONNRESET")
  expect(await server.ending()).toBe("ECONNRESET")
  expect(proxy.connections).toBe(0)
})

test("tcp-proxy makes a connection half-open: neither bytes nor ends come through, new ones do", async () => {
  const { client, server, proxy, dial } = await connected()
  proxy.suffer({ kind: "half-open" })
  client.write("lost")
  server.write("lost")
  client.socket.destroy()
  await Bun.sleep(50)
  expect([server.received, server.ended, client.received]).toEqual(["", undefined, ""])
  const next = await dial()
  next.client.write("new")
  expect(await next.server.next(3)).toBe("new")
  expect(server.ended).toBeUndefined()
})

test("tcp-proxy ends lost connections since a mark, and leaves earlier ones lost", async () => {
  const { server, proxy, dial } = await connected()
  proxy.suffer({ kind: "half-open" })
  proxy.mark()
  const later = await dial()
  proxy.suffer({ kind: "half-open" })
  proxy.buryLost()
  expect(await later.server.ending()).toBeOneOf(["end", "ECONNRESET"])
  expect(server.ended).toBeUndefined()
})

test("tcp-proxy blocks the sender of a half-open connection once the buffers are full", async () => {
  const { client, proxy } = await connected()
  proxy.suffer({ kind: "half-open" })
  let isTaken = false
  client.socket.write(Buffer.alloc(32_000_000), () => {
    isTaken = true
  })
  await Bun.sleep(100)
  expect(isTaken).toBe(false)
})

test("tcp-proxy stalls and then delivers everything", async () => {
  const { client, server, proxy } = await connected()
  proxy.suffer({ kind: "stall", ms: 50 })
  client.write("one")
  expect(await server.next(3)).toBe("one")
  proxy.suffer({ kind: "stall", ms: 600_000 })
  client.write("two")
  client.socket.end()
  await Bun.sleep(50)
  expect([server.received, server.ended]).toEqual(["one", undefined])
  proxy.heal()
  expect(await server.next(6)).toBe("onetwo")
  expect(await server.ending()).toBe("end")
})

test("tcp-proxy throttles to bytes a second, then lets the rest through", async () => {
  const { client, server, proxy } = await connected()
  proxy.suffer({ kind: "throttle", ms: 60_000, bytesPerSecond: 20 })
  client.write("abcdefghijklmnopqrstuvwxyz")
  await server.next(1)
  expect(server.received.length).toBeLessThan(26)
  proxy.heal()
  expect(await server.next(26)).toBe("abcdefghijklmnopqrstuvwxyz")
  proxy.suffer({ kind: "throttle", ms: 50, bytesPerSecond: 20 })
  client.write("0123456789")
  expect(await server.next(36)).toEndWith("0123456789")
})

test("tcp-proxy closes toward the client only", async () => {
  const { client, server, proxy } = await connected()
  proxy.suffer({ kind: "close-one-way", toward: "client" })
  expect(await client.ending()).toBe("end")
  server.write("never read")
  client.write("still sent")
  expect(await server.next(10)).toBe("still sent")
  expect([client.received, server.ended]).toEqual(["", undefined])
})

test("tcp-proxy closes toward the server only", async () => {
  const { client, server, proxy } = await connected()
  proxy.suffer({ kind: "close-one-way", toward: "server" })
  expect(await server.ending()).toBe("end")
  client.write("never read")
  server.write("still sent")
  expect(await client.next(10)).toBe("still sent")
  expect([server.received, client.ended]).toEqual(["", undefined])
})

test("tcp-proxy hurts one connection and spares the others", async () => {
  const { client, proxy, dial } = await connected()
  const other = await dial()
  proxy.suffer({ kind: "reset" }, 0.99)
  expect(await other.client.ending()).toBe("ECONNRESET")
  expect([client.ended, proxy.connections]).toEqual([undefined, 1])
})

test("tcp-proxy tells the client of an upstream that is not there", async () => {
  const proxy = await TcpProxy.listen({ host: "127.0.0.1", port: 1 })
  closing.push(() => proxy[Symbol.asyncDispose]())
  expect(await new End(connect(proxy.port, "127.0.0.1")).ending()).toBe("ECONNRESET")
})

test("tcp-proxy acts before the server has a statement, and can keep it back with everything that follows", async () => {
  const { client, server, proxy } = await connected()
  const seen: string[] = []
  proxy.onStatement({ words: ["COMMIT"], nth: 2, when: "before" }, async () => {
    seen.push(server.received)
    return "drop"
  })
  client.write("COMMIT 1.")
  await server.next(9)
  client.write("COMMIT 2.")
  // Who lost a message has lost the connection: nobody waits for an answer that cannot come.
  await client.ending()
  await server.ending()
  expect(server.received).toBe("COMMIT 1.")
  expect(seen).toEqual(["COMMIT 1."])
})

test("tcp-proxy acts after the server has answered a statement, before the client knows", async () => {
  const { client, server, proxy } = await connected()
  const seen = Promise.withResolvers<string>()
  proxy.onStatement({ words: ["COMMIT", "RENAME"], nth: 1, when: "after" }, async () => {
    seen.resolve(client.received)
    proxy.suffer({ kind: "half-open" })
    return "forward"
  })
  client.write("RENAME")
  await server.next(6)
  server.write("renamed")
  expect(await seen.promise).toBe("")
  await Bun.sleep(30)
  expect(client.received).toBe("")
})

test("tcp-proxy counts statements", async () => {
  const { client, server, proxy } = await connected()
  const count = proxy.count(["COMMIT", "RENAME"])
  for (const word of ["BEGIN", "COMMIT", "RENAME"]) {
    const before = server.received.length
    client.write(word)
    await server.next(before + word.length)
  }
  expect(count.seen).toBe(2)
})

/** A client and a server that have met through a proxy. */
async function connected() {
  const waiting: ((socket: Socket) => void)[] = []
  const upstream = createServer({ allowHalfOpen: true }, (socket) => waiting.shift()?.(socket))
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve))
  const proxy = await TcpProxy.listen({ host: "127.0.0.1", port: (upstream.address() as { port: number }).port })
  closing.push(
    () => void upstream.close(),
    () => proxy[Symbol.asyncDispose](),
  )
  const dial = async () => {
    const accepted = new Promise<Socket>((resolve) => waiting.push(resolve))
    const client = new End(connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true }))
    const server = new End(await accepted)
    closing.push(
      () => client.socket.destroy(),
      () => server.socket.destroy(),
    )
    return { client, server }
  }
  return { ...(await dial()), proxy, dial }
}

/** One end of a connection and what it has seen. */
class End {
  readonly socket: Socket
  received = ""
  ended: string | undefined
  #changed = Promise.withResolvers<void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1")
      this.#tell()
    })
    socket.on("end", () => this.#end("end"))
    socket.on("error", (error: { code?: string }) => this.#end(error.code ?? "error"))
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data)
  }

  async next(length: number): Promise<string> {
    while (this.received.length < length) await this.#changed.promise
    return this.received
  }

  async ending(): Promise<string> {
    while (this.ended === undefined) await this.#changed.promise
    return this.ended
  }

  #end(how: string): void {
    this.ended ??= how
    this.#tell()
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
