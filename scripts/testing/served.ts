import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../source-files.ts"

/** A server of its own, as somebody would start it: a process with an empty folder. */
export interface Served extends AsyncDisposable {
  readonly url: string
  readonly home: string
  readonly pid: number
  /** From the start of the process to its first answer that it is ready. */
  readonly readyMs: number
  /** The link that makes the first administrator; undefined where there is one. */
  readonly setupSecret: string | undefined
  /** Its exit code, once it has ended by whatever cause. */
  readonly ended: Promise<number>
  /** What it has said so far. */
  said(): string
  /** Asks it to stop, and resolves to its exit code. */
  stop(): Promise<number>
  /** As a power cut does. */
  kill(): Promise<void>
}

export interface ServedOptions {
  /** Folder of an earlier server; without it, a new one that goes with it. */
  readonly home?: string
  readonly environment?: Readonly<Record<string, string>>
  /** What is started, up to the verb; the program from its sources, where it is not said. */
  readonly command?: readonly string[]
}

export async function serve({ home, environment = {}, command = FROM_SOURCE }: ServedOptions = {}): Promise<Served> {
  const folder = home ?? mkdtempSync(join(tmpdir(), "headrace-served-"))
  const startedAt = performance.now()
  const child = Bun.spawn([...command, "serve", "--port", "0"], {
    cwd: folder,
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, HEADRACE_HOME: folder, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let said = ""
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const part of stream) said += decoder.decode(part, { stream: true })
  }
  const listening = Promise.all([listen(child.stdout), listen(child.stderr)])
  const forget = () => {
    if (home === undefined) rmSync(folder, { recursive: true, force: true })
  }
  const url = await address(child, () => said).catch(async (error) => {
    child.kill("SIGKILL")
    await child.exited
    forget()
    throw error
  })
  const readyMs = performance.now() - startedAt
  return {
    ...{ url, home: folder, pid: child.pid, readyMs },
    setupSecret: /\/setup#([\w-]+)/.exec(said)?.[1],
    ended: listening.then(() => child.exited),
    said: () => said,
    async stop() {
      child.kill("SIGTERM")
      const code = await child.exited
      await listening
      return code
    },
    async kill() {
      child.kill("SIGKILL")
      await child.exited
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await child.exited
      forget()
    },
  }
}

async function address(child: Bun.Subprocess, said: () => string): Promise<string> {
  for (let tries = 0; tries < 20_000; tries++) {
    const found = /https?:\/\/[^\s/]+:\d+/.exec(said())?.[0]
    if (found !== undefined && (await isReady(found))) return found
    if (child.exitCode !== null) break
    await Bun.sleep(3)
  }
  throw new Error(`The server has not become ready:\n${said()}`)
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok
  } catch {
    return false
  }
}

const FROM_SOURCE = [process.execPath, join(root, "runtime/main.ts")]
