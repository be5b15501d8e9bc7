import type { Socket } from "node:net"

/** What a network can do to a connection that goes through it. */
export type NetworkFault =
  /** Both ends are told at once, as by a firewall that refuses the connection from now on. */
  | { readonly kind: "reset" }
  /** From now on every packet vanishes, and so does every word of the connection's end. Neither side is told. */
  | { readonly kind: "half-open" }
  /** Nothing moves for a while; then everything does. */
  | { readonly kind: "stall"; readonly ms: number }
  | { readonly kind: "throttle"; readonly ms: number; readonly bytesPerSecond: number }
  /** One side is told that the other has finished sending; the other direction goes on. */
  | { readonly kind: "close-one-way"; readonly toward: Side }

export type Side = "client" | "server"

/** What becomes of a message that was held back. */
export type Verdict = "forward" | "drop"

/** Sees every chunk before it goes on; a promise holds it, and all that follows it, back. */
export type Inspector = (chunk: Uint8Array, from: Side) => Promise<Verdict> | undefined

/** One connection through the proxy: a socket to the client, one to the server, and what happens in between. */
export class Line {
  readonly #directions: Readonly<Record<Side, Direction>>
  #timer: Timer | undefined

  constructor(client: Socket, server: Socket, inspect: Inspector) {
    this.#directions = {
      client: new Direction(client, server, (chunk) => inspect(chunk, "client")),
      server: new Direction(server, client, (chunk) => inspect(chunk, "server")),
    }
  }

  get isOpen(): boolean {
    return this.#all.some(({ source }) => !source.destroyed)
  }

  /** True when nothing of it can be noticed by the other end any more. */
  get isLost(): boolean {
    return this.#all.every(({ isLost }) => isLost)
  }

  /** Both sockets are connected. */
  start(): void {
    this.#directions.client.start()
  }

  suffer(fault: NetworkFault): void {
    if (fault.kind === "reset") {
      for (const { source } of this.#all) source.resetAndDestroy()
    } else if (fault.kind === "half-open") {
      clearTimeout(this.#timer)
      for (const direction of this.#all) direction.lose()
    } else if (fault.kind === "close-one-way") {
      this.#directions[fault.toward === "client" ? "server" : "client"].close()
    } else {
      const gapMs = fault.kind === "throttle" ? 1000 / fault.bytesPerSecond : undefined
      for (const direction of this.#all) direction.slow(gapMs)
      this.#timer = setTimeout(() => this.heal(), fault.ms)
    }
  }

  /** Ends a stall or a throttling. */
  heal(): void {
    clearTimeout(this.#timer)
    for (const direction of this.#all) direction.release()
  }

  destroy(): void {
    clearTimeout(this.#timer)
    for (const direction of this.#all) direction.lose()
    for (const { source } of this.#all) source.destroy()
  }

  get #all(): readonly Direction[] {
    return [this.#directions.client, this.#directions.server]
  }
}

/** One of the two directions of a line. */
class Direction {
  readonly source: Socket
  readonly #sink: Socket
  readonly #inspect: (chunk: Uint8Array) => Promise<Verdict> | undefined
  #waiting: Uint8Array[] = []
  #state: "flowing" | "held" | "closed" | "lost" = "flowing"
  #isInspecting = false
  #hasEnded = false
  #drip: Timer | undefined

  constructor(source: Socket, sink: Socket, inspect: (chunk: Uint8Array) => Promise<Verdict> | undefined) {
    this.source = source
    this.#sink = sink
    this.#inspect = inspect
    source.on("data", (chunk: Uint8Array) => this.#take(chunk))
    source.on("end", () => {
      this.#hasEnded = true
      this.#flow()
    })
    // A line is of use as a whole only: what breaks one end, or closes it, is told to the other.
    source.on("error", () => {
      if (!this.isLost) sink.resetAndDestroy()
    })
    source.on("close", () => {
      if (!this.isLost && !this.#hasEnded) sink.destroy()
    })
    sink.on("drain", () => this.start())
  }

  get isLost(): boolean {
    return this.#state === "lost"
  }

  start(): void {
    if (!this.#isBlocked) this.source.resume()
  }

  lose(): void {
    this.#state = "lost"
    this.#waiting = []
    clearInterval(this.#drip)
    // Unread, so that the sender's buffers fill up as they do when nobody acknowledges.
    this.source.pause()
  }

  close(): void {
    if (this.isLost) return
    this.#state = "closed"
    this.#waiting = []
    clearInterval(this.#drip)
    this.#sink.end()
    this.source.resume()
  }

  /** Passes one byte every `gapMs`, or nothing. */
  slow(gapMs: number | undefined): void {
    if (this.#state !== "flowing") return
    this.#state = "held"
    if (gapMs !== undefined) this.#drip = setInterval(() => this.#passByte(), gapMs)
  }

  release(): void {
    if (this.#state !== "held") return
    this.#state = "flowing"
    clearInterval(this.#drip)
    this.#flow()
  }

  get #isBlocked(): boolean {
    return this.#state === "held" || this.#state === "lost" || this.#isInspecting
  }

  #take(chunk: Uint8Array): void {
    if (this.#state === "lost" || this.#state === "closed") return
    const verdict = this.#inspect(chunk)
    if (verdict === undefined) {
      this.#waiting.push(chunk)
      this.#flow()
      return
    }
    this.#isInspecting = true
    this.source.pause()
    void verdict.then((word) => {
      this.#isInspecting = false
      if (this.isLost) return
      if (word === "forward" && this.#state !== "closed") this.#waiting.push(chunk)
      this.#flow()
    })
  }

  #flow(): void {
    if (this.#isBlocked) {
      if (!this.#hasEnded) this.source.pause()
      return
    }
    let isWritable = true
    for (const chunk of this.#waiting) isWritable = this.#sink.write(chunk)
    this.#waiting = []
    if (this.#hasEnded) this.#sink.end()
    else if (isWritable) this.source.resume()
    else this.source.pause()
  }

  #passByte(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      if (!this.#hasEnded) this.source.resume()
      return
    }
    this.#sink.write(first.subarray(0, 1))
    if (first.length > 1) this.#waiting[0] = first.subarray(1)
    else this.#waiting.shift()
  }
}

type Timer = ReturnType<typeof setTimeout>
