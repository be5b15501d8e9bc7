import { connect as connectPlain, type Socket } from "node:net"
import { connect as connectSecure } from "node:tls"
import { message } from "./copy-message.ts"
import { type CopySink, CopyTap } from "./copy-tap.ts"
import type { PostgresSettings } from "./settings.ts"

/**
 * The socket under the driver. The driver gives one object a row to COPY's readers and copies what COPY's writers give
 * it, which costs more than the copy itself (measured: 0.9 of 1.2 s CPU for 3 million rows). So CopyData messages go
 * past it, in both directions; every other message is the driver's. It also means that a connection is never opened a
 * second time behind the back of a transaction.
 */
export class Wire {
  readonly #settings: PostgresSettings
  readonly #timeoutMs: number
  #socket: Socket | undefined
  #opened = false
  #cancelling = false
  readonly #tap = new CopyTap()
  readonly #gone = Promise.withResolvers<never>()

  constructor(settings: PostgresSettings, timeoutMs: number) {
    this.#settings = settings
    this.#timeoutMs = timeoutMs
    this.#gone.promise.catch(() => undefined)
  }

  /** What the driver asks for sockets: one for the connection, and one for each cancel request. */
  async open(): Promise<Socket> {
    if (this.#opened && !this.#cancelling) throw lost()
    const main = !this.#opened
    this.#opened = true
    const socket = await openSocket(this.#settings, this.#timeoutMs)
    return main ? this.#tapped(socket) : socket
  }

  /** Runs what makes the driver open a connection for a cancel request. */
  cancelling(request: () => void): void {
    this.#cancelling = true
    request()
    this.#cancelling = false
  }

  /** The next COPY TO STDOUT goes to this sink. */
  receive(sink: CopySink): void {
    this.#tap.receive(sink)
  }

  /** True once the connection is gone for good. */
  get closed(): boolean {
    return this.#socket?.destroyed === true
  }

  /** Rejects when the connection is gone; whoever waits for the server races with it, and never waits for nobody. */
  get gone(): Promise<never> {
    return this.#gone.promise
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  /**
   * Sends a statement past the driver, which must have nothing to do until the answer is there. It may be sent before
   * the answer to the one before has come: the server takes them one by one.
   */
  ask(statement: string): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || socket.destroyed) return Promise.reject(lost())
    const answer = this.#tap.answers.next()
    socket.write(message(QUERY, encoder.encode(`${statement}\0`)))
    return answer
  }

  /** True while an answer is to come: the driver must not be asked anything then, not even for ROLLBACK. */
  get asked(): boolean {
    return this.#tap.answers.waiting
  }

  /** Sends whole messages. Resolves when there is room for more. */
  async send(messages: Uint8Array): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || socket.destroyed) throw lost()
    if (!socket.write(messages)) await drained(socket)
    if (socket.destroyed) throw lost()
  }

  /** Asks the server, over a connection of its own, to stop the statement that it runs. */
  async cancel(): Promise<void> {
    const request = this.#tap.cancelRequest
    if (request === undefined) return
    const socket = await openSocket(this.#settings, this.#timeoutMs)
    socket.on("error", () => undefined)
    socket.end(request)
  }

  destroy(): void {
    this.#socket?.destroy()
  }

  #tapped(socket: Socket): Socket {
    const tap = this.#tap
    this.#socket = socket
    const on = socket.on.bind(socket)
    const removeListener = socket.removeListener.bind(socket)
    // The driver's own listener for data is called by ours.
    socket.on = ((event: string, listener: (chunk: Uint8Array) => void) => {
      if (event !== "data") return on(event, listener)
      tap.driver = listener
      return on("data", tap.data)
    }) as Socket["on"]
    socket.removeListener = ((event: string, listener: (chunk: Uint8Array) => void) => {
      if (event === "data") tap.driver = undefined
      return removeListener(event, listener)
    }) as Socket["removeListener"]
    on("close", () => {
      tap.fail(lost())
      // The driver speaks first: it may know what the server has said before it went.
      setTimeout(() => this.#gone.reject(lost()), 50)
    })
    return socket
  }
}

const QUERY = 0x51
const encoder = new TextEncoder()

export function lost(): Error {
  return Object.assign(new Error("the connection is lost"), { code: "CONNECTION_CLOSED" })
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeListener("drain", done)
      socket.removeListener("close", done)
      resolve()
    }
    socket.once("drain", done)
    socket.once("close", done)
    if (socket.destroyed) done()
  })
}

async function openSocket(settings: PostgresSettings, timeoutMs: number): Promise<Socket> {
  const { host, port } = settings
  const socket = host.startsWith("/")
    ? connectPlain({ path: `${host}/.s.PGSQL.${port}` })
    : connectPlain({ host, port })
  const timer = setTimeout(() => {
    const seconds = Math.round(timeoutMs / 100) / 10
    socket.destroy(Object.assign(new Error(`no connection within ${seconds} s`), { code: "CONNECT_TIMEOUT" }))
  }, timeoutMs)
  try {
    await happened(socket, "connect")
    socket.setNoDelay(true)
    // A connection may have nothing to say for hours: whoever is on the way must not forget it.
    socket.setKeepAlive(true, 60_000)
    const tls = tlsOptions(settings)
    return tls === undefined ? socket : await secured(socket, tls)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL */
async function secured(socket: Socket, tls: object): Promise<Socket> {
  socket.write(Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47))
  const answer = (await happened(socket, "data")) as Uint8Array
  socket.pause()
  // More than one byte before encryption begins would be somebody else's.
  if (answer.length !== 1 || answer[0] !== 0x53) {
    throw Object.assign(new Error("the server does not offer TLS"), { code: "TLS_REFUSED" })
  }
  const secure = connectSecure({ socket, ...tls })
  await happened(secure, "secureConnect")
  return secure
}

/** The event's value; rejects when the socket fails or closes first. */
function happened(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      socket.removeListener(event, onEvent)
      socket.removeListener("error", onError)
      socket.removeListener("close", onClose)
      settle()
    }
    const onEvent = (value: unknown) => done(() => resolve(value))
    const onError = (error: unknown) => done(() => reject(error))
    const onClose = () => done(() => reject(lost()))
    socket.on(event, onEvent)
    socket.on("error", onError)
    socket.on("close", onClose)
  })
}

/** Certificates are checked unless the server is this machine itself or the data source says otherwise. */
function tlsOptions({ tls, tlsCa, host }: PostgresSettings): object | undefined {
  if (tls === "off" || (tls === "auto" && isLocal(host))) return undefined
  // An address is no server name: the check of the certificate takes it from `host` then.
  const name = /^[\d.]+$|:/.test(host) ? { host } : { servername: host }
  return tls === "require"
    ? { ...name, rejectUnauthorized: false }
    : { ...name, rejectUnauthorized: true, ...(tlsCa === undefined ? {} : { ca: tlsCa }) }
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.") || host.startsWith("/")
}
