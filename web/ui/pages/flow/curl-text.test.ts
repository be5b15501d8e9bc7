import { expect, test } from "bun:test"
import { curlText } from "./curl-text.ts"

test("curl-text is a request that a shell sends as it stands", async () => {
  const server = Bun.serve({
    port: 0,
    fetch: async (request) =>
      Response.json({
        path: new URL(request.url).pathname,
        token: request.headers.get("authorization"),
        signature: request.headers.get("x-headrace-signature"),
        body: await request.text(),
      }),
  })
  const send = async (secret: string | null) => {
    const text = curlText(server.url.origin, "a'b c", "hrx_1", secret)
    const child = Bun.spawn(["sh", "-c", text], { stdout: "pipe" })
    return JSON.parse(await new Response(child.stdout).text())
  }
  expect(await send(null)).toEqual({
    path: "/api/v1/flows/a'b%20c/runs",
    token: "Bearer hrx_1",
    signature: null,
    body: "{}",
  })
  if (Bun.which("openssl")) {
    const { signature } = await send("s3cret")
    const [, seconds = "", mac = ""] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? []
    expect(mac).toBe(new Bun.CryptoHasher("sha256", "s3cret").update(`${seconds}.{}`).digest("hex"))
  }
  await server.stop(true)
})
