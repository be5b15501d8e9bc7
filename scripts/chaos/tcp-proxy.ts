import { connect, createServer, type Server, type Socket } from "node:net"
import { Line, type NetworkFault, type Side, type Verdict } from "./proxy-line.ts"
import { type Statement, StatementCount, StatementWatch } from "./statement-watch.ts"

export interface Upstream {
  readonly host: string
  readonly port: number
}

/** A TCP proxy that does to its connections what networks do. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #upstream: Upstream
  #lines: Line[] = []
  /** Lines that were there before the last call of `mark`. */
  #older: ReadonlySet<Line> = new Set()
  #watches: StatementWatch[] = []
  readonly #counts: StatementCount[] = []

  private constructor(upstream: Upstream) {
    this.#upstream = upstream
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#accept(client))
  }

  /** Listens on a free port. Every client gets a connection of its own to the upstream. */
  static async listen(upstream: Upstream): Promise<TcpProxy> {
    const proxy = new TcpProxy(upstream)
    const server = proxy.#server
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve))
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === "string") throw new Error("Cannot tell the port: the proxy is closed")
    return address.port
  }

  /** Connections that go through, lost ones among them. */
  get connections(): number {
    this.#lines = this.#lines.filter((line) => line.isOpen)
    return this.#lines.length
  }

  /** Does it to all connections that are open now, or to one of them: `pick` from 0 to 1 says which. */
  suffer(fault: NetworkFault, pick?: number): void {
    const lines = this.#lines.filter((line) => line.isOpen && !line.isLost)
    const chosen = pick === undefined ? lines : lines.slice(Math.floor(pick * lines.length)).slice(0, 1)
    for (const line of chosen) line.suffer(fault)
  }

  /** Ends stalls and throttling. What is lost stays lost. */
  heal(): void {
    for (const line of this.#lines) line.heal()
  }

  /** Calls `act` once, at that statement, and holds its connection until it is done. Returns what forgets it. */
  onStatement(statement: Statement, act: () => Promise<Verdict>): () => void {
    const watch = new StatementWatch(statement, act)
    this.#watches.push(watch)
    return () => {
      this.#watches = this.#watches.filter((each) => each !== watch)
    }
  }

  /** Counts, from now on, the messages to the server with these words. */
  count(words: readonly string[]): StatementCount {
    const count = new StatementCount(words)
    this.#counts.push(count)
    return count
  }

  /** Lines that are opened from now on are those of another attempt. */
  mark(): void {
    this.#older = new Set(this.#lines)
  }

  /** Ends lost lines that were opened since the mark, as both machines do in the end when nobody acknowledges. */
  buryLost(): void {
    for (const line of this.#lines) if (line.isLost && !this.#older.has(line)) line.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines) line.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const server = connect({ ...this.#upstream, allowHalfOpen: true, noDelay: true })
    client.setNoDelay(true)
    // An error is told to the line as well; without a listener of its own it would end the process.
    client.on("error", () => {})
    server.on("error", () => client.resetAndDestroy())
    const line: Line = new Line(client, server, (chunk, from) => this.#inspect(chunk, from, line))
    this.#lines = [...this.#lines.filter((each) => each.isOpen), line]
    server.once("connect", () => line.start())
  }

  #inspect(chunk: Uint8Array, from: Side, line: Line): Promise<Verdict> | undefined {
    if (from === "client") for (const count of this.#counts) count.take(chunk)
    const verdicts = this.#watches.flatMap((watch) => watch.take(chunk, from, line) ?? [])
    if (verdicts.length === 0) return undefined
    return Promise.all(verdicts).then((words) => {
      if (!words.includes("drop")) return "forward"
      // No network loses a message and keeps the connection. Its client may be another worker, which lives.
      line.destroy()
      return "drop"
    })
  }
}
