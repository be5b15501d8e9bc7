import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"

/** What the watchdog needs to know of a server. */
export interface Program {
  readonly kind: string
  readonly folder: string
  readonly command: readonly string[]
  /** Ends the server in order. */
  readonly stopSignal: NodeJS.Signals
  /** Ends the server at once; its data is thrown away. */
  readonly endSignal: "QUIT" | "KILL"
  /** Resolves when it answers queries, rejects while it does not. */
  answers(): Promise<void>
}

/** A server process under its watchdog. */
export interface Server {
  readonly pid: number
  /** Starts the process and waits until it answers. */
  start(): Promise<void>
  kill(signal: NodeJS.Signals): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
  log(): string
}

/** Starts the watchdog, which from now on owns the folder; the server itself waits for {@link Server.start}. */
export function supervise(program: Program): Server {
  const watchdog = Bun.spawn(
    ["/bin/sh", join(import.meta.dir, "watchdog.sh"), program.folder, program.endSignal, ...program.command],
    {
      stdin: "pipe",
      stdout: "ignore",
      stderr: "ignore",
      cwd: "/",
      // A session of its own, or Ctrl-C and a kill of the whole group would take the watchdog before its work is done.
      detached: true,
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: "C", TZ: "UTC", HOME: program.folder },
    },
  )
  watchdog.unref()
  const pidFile = join(program.folder, "pid")
  let pid = 0

  async function start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const before = log().length
      rmSync(pidFile, { force: true })
      watchdog.stdin.write("start\n")
      await watchdog.stdin.flush()
      await until(() => existsSync(pidFile), `${program.kind} to be started`)
      pid = Number(readFileSync(pidFile, "utf8"))
      if (await isUp()) return
      const said = log().slice(before)
      // The children of a killed server hold its memory and its port for a moment longer.
      if (attempt === 50 || !/still in use|address already in use|lock data file/i.test(said))
        throw new Error(`Cannot start ${program.kind}: it ended and said:\n${said.trim()}`)
      await Bun.sleep(100)
    }
  }

  async function isUp(): Promise<boolean> {
    const deadline = Date.now() + START_LIMIT_MS
    let last: unknown
    while (isAlive(pid)) {
      if (Date.now() > deadline)
        throw new Error(`Cannot reach ${program.kind}: no answer in ${START_LIMIT_MS} ms`, { cause: last })
      try {
        await program.answers()
        return true
      } catch (cause) {
        last = cause
        await Bun.sleep(15)
      }
    }
    return false
  }

  async function kill(signal: NodeJS.Signals): Promise<void> {
    const family = FAMILY_SIGNALS.has(signal) ? [pid, ...descendants(pid)] : [pid]
    for (const member of family) send(member, signal)
    if (!ENDING_SIGNALS.has(signal)) return
    await until(() => !family.some(isAlive), `${program.kind} to end after ${signal}`)
  }

  async function stop(): Promise<void> {
    await watchdog.stdin.end()
    await watchdog.exited
  }

  async function restart(): Promise<void> {
    if (isAlive(pid)) await kill(program.stopSignal)
    await start()
  }

  function log(): string {
    const file = join(program.folder, "log")
    return existsSync(file) ? readFileSync(file, "utf8") : ""
  }

  return {
    get pid() {
      return pid
    },
    start,
    kill,
    restart,
    stop,
    log,
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === "string") throw new Error("Cannot find a free port: no address was given")
  return address.port
}

/** False for a process that has ended, also while nobody has collected it. */
export function isAlive(pid: number): boolean {
  const state = stat(pid)?.state
  return state !== undefined && state !== "Z" && state !== "X"
}

function descendants(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => ({ pid: Number(entry), parent: stat(Number(entry))?.parent }))
  const below = (parent: number): number[] =>
    parents.filter((one) => one.parent === parent).flatMap((one) => [one.pid, ...below(one.pid)])
  return below(pid)
}

function stat(pid: number): { state: string | undefined; parent: number } | undefined {
  try {
    // The name in parentheses may hold spaces and parentheses itself.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ")
    return { state, parent: Number(parent) }
  } catch {
    return undefined
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ESRCH")) throw cause
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Cannot wait any longer for ${what}: ${START_LIMIT_MS} ms have passed`)
    await Bun.sleep(5)
  }
}

const START_LIMIT_MS = 60_000
const FAMILY_SIGNALS: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP", "SIGCONT"])
const ENDING_SIGNALS: ReadonlySet<string> = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT", "SIGABRT"])
