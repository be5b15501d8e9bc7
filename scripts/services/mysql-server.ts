import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createConnection, type RowDataPacket } from "mysql2/promise"
import { handOver, makeFolder, must, unprivileged } from "./account.ts"
import { type Certificate, makeCertificate } from "./certificate.ts"
import { freePort, supervise } from "./server.ts"
import type { Service, TlsOptions } from "./service.ts"

/** What MariaDB and MySQL are started with alike. */
export interface MysqlServerOptions {
  /** Server variables; they win over the fast but forgetful ones for tests. */
  readonly settings?: Readonly<Record<string, string>>
  /** Offer TLS with a certificate of its own authority. Default: false. */
  readonly ssl?: boolean | TlsOptions
  /** Of the user `root`. */
  readonly password?: string
}

/** A server that is ready to be started. */
export interface MysqlProgram {
  readonly kind: "mariadb" | "mysql"
  /** The program and the arguments that it cannot do without. */
  readonly command: readonly string[]
  /** An empty data folder, which is copied. */
  readonly data: string
  /** Server variables that only this kind has. */
  readonly settings?: Readonly<Record<string, string>>
  /** Default: `ec`. */
  readonly certificateKey?: "ec" | "rsa"
}

/** Starts MariaDB or MySQL on a data folder of its own. */
export async function startMysqlServer(program: MysqlProgram, options: MysqlServerOptions): Promise<Service> {
  const { kind } = program
  const folder = makeFolder(kind)
  const data = join(folder, "data")
  const tls = options.ssl === true ? {} : options.ssl || undefined
  const certificate = tls && makeCertificate(tls.names ?? ["localhost", "127.0.0.1"], program.certificateKey)
  const password = options.password ?? "headrace"
  const port = await freePort()
  const settings = {
    ...FAST,
    ...program.settings,
    ...(certificate && tlsSettings(folder)),
    ...(tls?.require && { "require-secure-transport": "ON" }),
    ...options.settings,
    port: String(port),
    datadir: data,
    tmpdir: join(folder, "tmp"),
    socket: join(data, "socket"),
    "pid-file": join(data, "server.pid"),
    "init-file": join(folder, "init.sql"),
  }
  const flags = Object.entries(settings).map(([key, value]) => `--${key}=${value}`)
  const query = async (text: string) => {
    const client = await createConnection({
      host: HOST,
      port,
      user: USER,
      password,
      ...(certificate && { ssl: { ca: certificate.ca } }),
    })
    try {
      return (await client.query<RowDataPacket[]>(text))[0]
    } finally {
      client.destroy()
    }
  }
  const server = supervise({
    kind,
    folder,
    command: [...unprivileged(), ...program.command, ...flags],
    stopSignal: "SIGTERM",
    endSignal: "KILL",
    answers: async () => void (await query("select 1")),
  })
  try {
    must(["cp", "-a", "--reflink=auto", "--sparse=always", program.data, data])
    writeFiles(folder, port, password, certificate)
    await server.start()
    const [row] = await query("select version() as version")
    const urlOf = (database: string) =>
      `mysql://${USER}:${encodeURIComponent(password)}@${HOST}:${port}/${encodeURIComponent(database)}`
    return {
      kind,
      host: HOST,
      port,
      user: USER,
      password,
      version: String(row?.version),
      database: DATABASE,
      url: urlOf(DATABASE),
      urlOf,
      // The client takes the user from option files only.
      env: { MARIADB_HOME: folder, MYSQL_HOME: folder },
      caCertificate: certificate?.ca,
      get pid() {
        return server.pid
      },
      async createDatabase(prefix = "test") {
        const name = `${prefix}_${crypto.randomUUID().slice(0, 8)}`
        await query(`create database \`${name}\``)
        return name
      },
      kill: (signal = "SIGKILL") => server.kill(signal),
      restart: server.restart,
      stop: server.stop,
      log: server.log,
    }
  } catch (cause) {
    await server.stop()
    throw cause
  }
}

function writeFiles(folder: string, port: number, password: string, certificate: Certificate | undefined): void {
  mkdirSync(join(folder, "tmp"))
  handOver(join(folder, "tmp"))
  const secret = password.replace(/['\\]/g, "\\$&")
  const account = `'${USER}'@'%'`
  const statements = [
    // The accounts of a fresh data folder have no password, and being more exact they would come first.
    `drop user if exists 'root'@'127.0.0.1', 'root'@'::1', 'root'@'localhost'`,
    `create user if not exists ${account} identified by '${secret}'`,
    `grant all on *.* to ${account} with grant option`,
  ]
  writeFileSync(join(folder, "init.sql"), statements.map((statement) => `${statement};\n`).join(""))
  const client = [`host=${HOST}`, `port=${port}`, `user=${USER}`, `password='${secret}'`, `database=${DATABASE}`]
  if (certificate) {
    const files = { ca: certificate.ca, certificate: certificate.certificate, key: certificate.key }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.pem`), text, { mode: 0o600 })
    handOver(...Object.keys(files).map((name) => join(folder, `${name}.pem`)))
    client.push(`ssl-ca=${join(folder, "ca.pem")}`)
  }
  // `database` is an option of the client alone; its other programs would refuse it under [client].
  const shared = client.filter((line) => !line.startsWith("database="))
  const own = `[mariadb-client]\ndatabase=${DATABASE}\n`
  writeFileSync(join(folder, "my.cnf"), `[client]\n${shared.join("\n")}\n${own}`, { mode: 0o600 })
}

function tlsSettings(folder: string): Record<string, string> {
  return {
    "ssl-ca": join(folder, "ca.pem"),
    "ssl-cert": join(folder, "certificate.pem"),
    "ssl-key": join(folder, "key.pem"),
  }
}

const HOST = "127.0.0.1"
const USER = "root"
const DATABASE = "mysql"
/** What is committed survives a kill of the server, as the page cache keeps it, but not the power going off. */
const FAST = {
  "bind-address": HOST,
  "skip-name-resolve": "ON",
  "local-infile": "ON",
  "innodb-flush-log-at-trx-commit": "2",
  "innodb-doublewrite": "0",
  "innodb-flush-method": "nosync",
  "innodb-buffer-pool-size": "128M",
  "performance-schema": "OFF",
  "character-set-server": "utf8mb4",
  "max-allowed-packet": "64M",
  "max-connections": "200",
  "default-time-zone": "+00:00",
}
