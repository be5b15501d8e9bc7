import { expect, test } from "bun:test"
import { Effect } from "effect"
import { readEvents } from "./event-stream.ts"
import { followRun } from "./follow-run.ts"
import { makeServerClient } from "./server-client.ts"

const frame = (type: string, data: object, id?: number) =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
const line = (n: number) => frame("job.logged", { id: "r", line: { line: n, text: `line ${n}` } }, n)

test("follow-run takes up a connection that breaks where it was, and tells every line once", async () => {
  const asked: string[] = []
  const answers = [
    `retry: 2000\n\n${frame("job.state", { job: { status: "running" } })}${line(1)}${line(2)}data: {"half`,
    "",
    // A server that tells too much again.
    `${line(2)}: beat\n\n${line(3)}`,
    `${line(4)}${frame("job.ended", { job: { id: "r", status: "succeeded" } })}`,
  ]
  using server = Bun.serve({
    port: 0,
    fetch(request) {
      asked.push(request.headers.get("last-event-id") ?? "")
      if (asked.length === 2) return new Response("bad gateway", { status: 502 })
      return new Response(answers[asked.length - 1]!, { headers: { "content-type": "text/event-stream" } })
    },
  })
  const told: string[] = []
  const run = await Effect.runPromise(
    followRun(makeServerClient({ url: server.url.origin }), "r", {
      take: (event) => told.push(event.type === "job.logged" ? event.line.text : event.type),
    }),
  )
  expect(run.status).toBe("succeeded")
  expect(told).toEqual(["job.state", "line 1", "line 2", "line 3", "line 4", "job.ended"])
  expect(asked).toEqual(["0", "2", "2", "3"])
})

test("follow-run gives up at once where the server refuses", async () => {
  let asked = 0
  using server = Bun.serve({
    port: 0,
    fetch() {
      asked++
      return Response.json({ detail: 'There is no run "r"' }, { status: 404 })
    },
  })
  const followed = followRun(makeServerClient({ url: server.url.origin }), "r", { take: () => {} })
  const failed = await Effect.runPromise(Effect.flip(followed))
  expect([failed.status, failed.message, asked]).toEqual([404, 'There is no run "r"', 1])
})

test("event-stream puts events together however they are cut", async () => {
  const bytes = new TextEncoder().encode(`: hi\r\n\r\nid: 7\r\nevent: a\r\ndata: ü\r\ndata:b\r\n\r\n${frame("c", {})}`)
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      controller.close()
    },
  })
  expect(await Array.fromAsync(readEvents(body, new AbortController().signal))).toEqual([
    { type: "a", data: "ü\nb", id: "7" },
    { type: "c", data: "{}" },
  ])
})
