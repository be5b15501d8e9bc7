/** A private database server. It lives as long as this process and leaves nothing behind, however this process ends. */
export interface Service {
  readonly kind: "postgres" | "mariadb" | "mysql"
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** As the server says it, such as `18.4` or `10.11.19-MariaDB`. */
  readonly version: string
  /** Points at {@link Service.database}. */
  readonly url: string
  /** A database that always exists; use {@link Service.createDatabase} for tables. */
  readonly database: string
  /** Environment that points `psql` or `mariadb` at this server. */
  readonly env: Readonly<Record<string, string>>
  /** PEM of the authority behind the server's certificate; absent when TLS is off. */
  readonly caCertificate: string | undefined
  /** The process id of the running server; changes with {@link Service.restart}. */
  readonly pid: number
  /** Makes an empty database with a name of its own and returns the name. */
  createDatabase(prefix?: string): Promise<string>
  /** {@link Service.url} for another database. */
  urlOf(database: string): string
  /**
   * Sends a signal. KILL, STOP and CONT go to the server and to its children, as a crash or a frozen machine would;
   * others to the server alone. Resolves when the server has ended, at once for signals that end nothing.
   */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends the server in order if it runs, and starts it on the same port with the same data. */
  restart(): Promise<void>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  /** What the server has written so far. */
  log(): string
}

export interface TlsOptions {
  /** Refuse connections without TLS. Default: false. */
  readonly require?: boolean
  /** Names and addresses in the certificate. Default: `localhost` and `127.0.0.1`. */
  readonly names?: readonly string[]
}
