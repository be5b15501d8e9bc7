import { join } from "node:path"
import { handOver, must, run, unprivileged } from "./account.ts"
import { type MysqlServerOptions, startMysqlServer } from "./mysql-server.ts"
import type { Service } from "./service.ts"
import { template } from "./template.ts"

/** Starts a MariaDB server from the machine's package, which is installed first where that is possible. */
export async function startMariadb(options: MysqlServerOptions = {}): Promise<Service> {
  const { program, data } = prepareMariadb()
  return startMysqlServer({ kind: "mariadb", command: [program, "--no-defaults"], data }, options)
}

/** Finds or installs the server and makes an empty data folder, once per machine. */
export function prepareMariadb(): { readonly program: string; readonly data: string } {
  if (!find("mariadbd") || !find("mariadb-install-db")) install()
  const program = find("mariadbd")
  const installer = find("mariadb-install-db")
  if (!program || !installer) throw new Error(`Cannot start mariadb: "mariadbd" is not on this machine; ${ADVICE}`)
  const data = template("mariadb-data", run([program, "--version"]).output, (folder) => {
    handOver(folder)
    const flags = [`--datadir=${join(folder, "data")}`, "--auth-root-authentication-method=normal", "--skip-test-db"]
    must([...unprivileged(), installer, "--no-defaults", ...flags])
  })
  return { program, data: join(data, "data") }
}

/** The package `mariadb-server` would start a server of its own on the standard port; the core packages do not. */
function install(): void {
  if (process.getuid?.() !== 0 || !find("apt-get"))
    throw new Error(`Cannot start mariadb: "mariadbd" is not on this machine; ${ADVICE}`)
  console.error(`mariadb is not on this machine, so it is installed now: apt-get install ${PACKAGES.join(" ")}`)
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" } as Record<string, string>
  must(["apt-get", "update"], env)
  must(["apt-get", "install", "-y", "--no-install-recommends", ...PACKAGES], env)
}

function find(program: string): string | null {
  return Bun.which(program, { PATH: `${process.env.PATH}:/usr/sbin:/sbin` })
}

const PACKAGES = ["mariadb-server-core", "mariadb-client-core"]
const ADVICE = `install the Debian packages ${PACKAGES.join(" and ")}, or run as root where apt-get can`
