import { isIpAddress, namesAddress } from "./mysql-identity.ts"
import { type MysqlSettings, tlsMode } from "./mysql-settings.ts"
import { type PacketParser, RowTap } from "./mysql-tap.ts"

/** What the server says of a result's column. */
export interface WireField {
  readonly name: string
  readonly columnType: number
  readonly flags: number
  readonly decimals: number
  readonly columnLength: number
  readonly characterSet: number
  readonly extendedTypeName?: string | undefined
  readonly extendedFormat?: string | undefined
}

/** How a statement ended. */
export interface Done {
  readonly affectedRows: number
  readonly warnings: number
  /** Such as `Records: 3  Deleted: 0  Skipped: 0  Warnings: 0`. */
  readonly info: string
}

export type OnRow = (buffer: Uint8Array, start: number, end: number) => void

/**
 * A thin hold on one driver connection. Rows are handed over as the bytes of their packet, before the driver makes
 * anything of them, and files are written as packets: two things that the driver's public interface does not offer,
 * so this file leans on the internals of mysql2 3.24.5 and is the only one that does.
 */
export interface Wire {
  readonly threadId: number
  readonly closed: boolean
  /** Runs one statement. Without `row`, its rows are dropped. */
  run(
    sql: string,
    on?: { readonly fields?: (fields: readonly WireField[]) => void; readonly row?: OnRow },
  ): Promise<Done>
  /** Runs a LOAD DATA LOCAL statement whose file consists of `parts`. They may be reused once the promise settles. */
  sendFile(sql: string, parts: Iterable<Uint8Array>): Promise<Done>
  /** Resolves once the server has asked for the next file, and has the beginning of it. */
  fileBegun(): Promise<void>
  /** The columns that a statement would return. */
  prepare(sql: string): Promise<readonly WireField[]>
  /** Stops and starts taking bytes from the socket. */
  pause(): void
  resume(): void
  /** Ends in order. */
  end(): Promise<void>
  /** Cuts the connection; what runs on it fails with `cause`. */
  destroy(cause: Error): void
}

interface Packet {
  readonly buffer: Uint8Array
  readonly offset: number
  readonly end: number
  isEOF(): boolean
}
type Step = (packet: Packet, driver: Driver) => unknown
interface Command {
  row: Step
  infileOk: Step
  _streamLocalInfile(driver: Driver): Step
  on(event: "fields", listener: (fields: readonly WireField[]) => void): void
}
interface Socket {
  readonly destroyed: boolean
  readonly writableLength: number
  pause(): void
  resume(): void
  destroy(): void
  once(event: string, listener: () => void): void
  removeListener(event: string, listener: () => void): void
  getPeerCertificate?(): { readonly subjectaltname?: string }
}
interface Header {
  readonly affectedRows?: number
  readonly warningStatus?: number
  readonly info?: string
}
interface Driver {
  readonly threadId: number
  /** Asked for at each chunk of the socket. */
  packetParser: Pick<PacketParser, "execute">
  readonly stream: Socket
  readonly sequenceId: number
  startTLS(onSecure: (error?: Error) => void): void
  query(sql: string, callback: (error: Error | null, result?: Header | readonly unknown[]) => void): Command
  prepare(sql: string, callback: (error: Error | null, statement?: { columns: readonly WireField[] }) => void): void
  unprepare(sql: string): void
  write(data: Uint8Array): void
  _bumpSequenceId(packets: number): void
  connect(callback: (error: Error | null) => void): void
  end(callback: () => void): void
  on(event: "error", listener: (error: Error) => void): void
}

/** Connects and logs in. Rejects with what the driver says. */
export async function openWire(settings: MysqlSettings, timeoutMs: number, signal: AbortSignal): Promise<Wire> {
  // Loaded when first needed: a run that never meets MySQL does not carry its driver.
  const { createConnection } = await import("mysql2")
  const mode = tlsMode(settings)
  // The driver compares the certificate with "localhost" when the host is an address, so that check is ours.
  const byAddress = mode === "verify" && isIpAddress(settings.host)
  const driver = createConnection({
    ...(settings.socketPath !== undefined
      ? { socketPath: settings.socketPath }
      : { host: settings.host, port: settings.port }),
    user: settings.user,
    ...(settings.password !== undefined && { password: settings.password }),
    database: settings.database,
    connectTimeout: timeoutMs,
    charset: "utf8mb4_general_ci",
    disableEval: true,
    queryFormat: (sql: string) => sql,
    enableKeepAlive: true,
    keepAliveInitialDelay: 30_000,
    // IGNORE_SPACE changes what a statement means.
    flags: ["-IGNORE_SPACE", "-FOUND_ROWS"],
    connectAttributes: { program_name: "headrace" },
    ...(mode !== "off" && {
      ssl: {
        rejectUnauthorized: mode === "verify",
        verifyIdentity: mode === "verify" && !byAddress,
        minVersion: "TLSv1.2",
        ...(settings.tlsCa !== undefined && { ca: settings.tlsCa }),
      },
    }),
  }) as unknown as Driver // the internals described above
  if (byAddress) checkAddress(driver, settings.host)
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      driver.stream.destroy()
      reject(signal.reason)
    }
    driver.on("error", () => {})
    driver.connect((error) => {
      signal.removeEventListener("abort", onAbort)
      if (!error) return resolve(new DriverWire(driver))
      driver.stream.destroy()
      reject(error)
    })
    if (signal.aborted) onAbort()
    else signal.addEventListener("abort", onAbort, { once: true })
  })
}

/** Runs before the password is sent. */
function checkAddress(driver: Driver, host: string): void {
  const startTls = driver.startTLS
  driver.startTLS = (onSecure) =>
    startTls.call(driver, (error) => {
      const names = error ? "" : (driver.stream.getPeerCertificate?.()?.subjectaltname ?? "")
      if (error || namesAddress(names, host)) return onSecure(error)
      onSecure(new Error(`the server's certificate is for "${names}", not for "${host}"`))
    })
}

class DriverWire implements Wire {
  readonly threadId: number
  readonly #driver: Driver
  #fail: ((cause: Error) => void) | undefined
  #destroyed = false
  #begun = Promise.withResolvers<void>()

  readonly #tap: RowTap

  constructor(driver: Driver) {
    this.#driver = driver
    this.#tap = new RowTap(driver.packetParser as PacketParser, (rows) => driver._bumpSequenceId(rows)) // the driver's own
    driver.packetParser = this.#tap
    this.threadId = driver.threadId
  }

  get closed(): boolean {
    return this.#destroyed || this.#driver.stream.destroyed
  }

  run(sql: string, on: { fields?: (fields: readonly WireField[]) => void; row?: OnRow } = {}): Promise<Done> {
    return this.#statement<Done>((settle) => {
      const command = this.#driver.query(sql, settle(doneOf))
      if (on.fields) command.on("fields", (fields) => fields && on.fields?.(fields))
      takeRows(command, this.#tap, on.row ?? (() => {}))
    })
  }

  sendFile(sql: string, parts: Iterable<Uint8Array>): Promise<Done> {
    return this.#statement<Done>((settle) => {
      const command = this.#driver.query(sql, settle(doneOf))
      command._streamLocalInfile = (driver) => {
        pump(driver, parts).catch((cause) => this.destroy(cause))
        this.#begun.resolve()
        this.#begun = Promise.withResolvers()
        return command.infileOk
      }
    })
  }

  fileBegun(): Promise<void> {
    return this.#begun.promise
  }

  prepare(sql: string): Promise<readonly WireField[]> {
    return this.#statement<readonly WireField[]>((settle) => {
      this.#driver.prepare(
        sql,
        settle((statement) => {
          this.#driver.unprepare(sql)
          return statement?.columns ?? []
        }),
      )
    })
  }

  pause(): void {
    this.#driver.stream.pause()
  }

  resume(): void {
    this.#driver.stream.resume()
  }

  async end(): Promise<void> {
    if (this.closed) return
    this.#destroyed = true
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, 1000)
      this.#driver.end(() => {
        clearTimeout(late)
        resolve()
      })
    })
    this.#driver.stream.destroy()
  }

  destroy(cause: Error): void {
    if (this.closed) return
    this.#destroyed = true
    this.#driver.stream.destroy()
    this.#fail?.(cause)
  }

  /** The driver forgets commands in some ways of dying, so the promise is also kept where `destroy` finds it. */
  #statement<R>(
    start: (settle: <T>(read: (result: T | undefined) => R) => (error: Error | null, result?: T) => void) => void,
  ): Promise<R> {
    if (this.closed) return Promise.reject(lost())
    this.#tap.rowsEnd()
    return new Promise<R>((resolve, reject) => {
      this.#fail = reject
      start((read) => (error, result) => {
        this.#fail = undefined
        if (!error) return resolve(read(result))
        // The statement may be a megabyte of values.
        if ("sql" in error) error.sql = undefined
        reject(error)
      })
    })
  }
}

/** Lets rows go past the driver, and takes those that come by it all the same: it would build an object for every row. */
function takeRows(command: Command, tap: RowTap, onRow: OnRow): void {
  const { row } = command
  command.row = (packet, driver) => {
    if (packet.isEOF()) {
      tap.rowsEnd()
      return row.call(command, packet, driver)
    }
    // From the next chunk on.
    tap.rowsFollow(onRow)
    onRow(packet.buffer, packet.offset, packet.end)
    return command.row
  }
}

function doneOf(result: Header | readonly unknown[] | undefined): Done {
  const header = (Array.isArray(result) ? {} : result) as Header | undefined // an array: it returned rows
  return {
    affectedRows: header?.affectedRows ?? 0,
    warnings: header?.warningStatus ?? 0,
    info: header?.info ?? "",
  }
}

/** Small enough for any server's `max_allowed_packet`. */
const PIECE_BYTES = 262_144
const UNSENT_BYTES = 1_048_576

async function pump(driver: Driver, parts: Iterable<Uint8Array>): Promise<void> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) {
      if (driver.stream.destroyed) return
      const piece = part.subarray(at, at + PIECE_BYTES)
      writeHeader(driver, piece.length)
      driver.write(piece)
      if (driver.stream.writableLength > UNSENT_BYTES) await drained(driver.stream)
    }
  }
  if (!driver.stream.destroyed) writeHeader(driver, 0)
}

function writeHeader(driver: Driver, length: number): void {
  driver.write(Uint8Array.of(length & 255, (length >> 8) & 255, length >> 16, driver.sequenceId))
  driver._bumpSequenceId(1)
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) socket.removeListener(event, done)
      resolve()
    }
    for (const event of ["drain", "close", "error"]) socket.once(event, done)
  })
}

function lost(): Error {
  return Object.assign(new Error("the connection is closed"), { code: "PROTOCOL_CONNECTION_LOST" })
}
