import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../../../scripts/source-files.ts"

/** The real server, on an empty folder. */
export interface Served {
  readonly url: string
  /** Where the first administrator is made. */
  readonly setup: string
  log(): string
  stop(): Promise<void>
}

export async function startServer(): Promise<Served> {
  const home = mkdtempSync(join(tmpdir(), "headrace-pages-"))
  const child = Bun.spawn([process.execPath, join(root, "runtime/main.ts"), "serve", "--port", "0"], {
    cwd: home,
    env: { ...process.env, HEADRACE_HOME: home, HEADRACE_LOG_FORMAT: "json" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  let said = ""
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) said += decoder.decode(chunk, { stream: true })
  }
  const ended = Promise.all([listen(child.stdout), listen(child.stderr)])
  const stop = async () => {
    child.kill()
    await child.exited
    await ended
    rmSync(home, { recursive: true, force: true })
  }
  while (!/\/setup#\S+/.test(said)) {
    if (child.exitCode !== null) throw new Error(`Cannot start the server: ${said}`)
    await Bun.sleep(20)
  }
  const [setup = ""] = /http\S+\/setup#\S+/.exec(said) ?? []
  return { url: new URL(setup).origin, setup, log: () => said, stop }
}
