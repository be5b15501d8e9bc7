import { existsSync } from "node:fs"
import { chmod, mkdir, rm } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { capture } from "./measure.ts"

/**
 * The newest version whose program is on PyPI itself; later packages download it from elsewhere on first use.
 * `SLING_BINARY` names another one.
 */
export function installSling(): Promise<string> {
  return once("sling", async () => {
    if (process.env.SLING_BINARY) return process.env.SLING_BINARY
    if (process.platform !== "linux") throw new Error(`there is no package with its program for ${process.platform}`)
    const arch = process.arch === "arm64" ? "arm64" : "amd64"
    const venv = await makeVenv("sling", [`sling-linux-${arch}==1.4.11`])
    const site = await capture([
      join(venv, "bin/python"),
      "-c",
      "import sysconfig; print(sysconfig.get_path('purelib'))",
    ])
    const program = join(site, `sling_linux_${arch}/bin/sling-linux-${arch}`)
    await chmod(program, 0o755)
    return works(program, ["--version"])
  })
}

/** The newest version whose wheel holds the program. `INGESTR_BINARY` names another one. */
export function installIngestr(): Promise<string> {
  return once("ingestr", async () => {
    if (process.env.INGESTR_BINARY) return process.env.INGESTR_BINARY
    const venv = await makeVenv("ingestr", ["ingestr==0.15.9"])
    return works(join(venv, "bin/ingestr"), ["--version"])
  })
}

/** Gives the Python that has dlt with everything its fastest path needs. */
export function installDlt(): Promise<string> {
  return once("dlt", async () => {
    const venv = await makeVenv("dlt", [
      "dlt[postgres]==1.31.0",
      "adbc-driver-postgresql==1.13.0",
      "connectorx==0.4.6",
      "psycopg2-binary==2.9.13",
      "pyarrow==26.0.1",
      "pymysql==1.2.4",
      "sqlalchemy==2.1.9",
    ])
    return works(join(venv, "bin/python"), ["-c", "import dlt, connectorx, pyarrow"])
  })
}

const installed = new Map<string, Promise<string>>()

function once(name: string, install: () => Promise<string>): Promise<string> {
  const known = installed.get(name)
  if (known) return known
  const made = install()
  installed.set(name, made)
  return made
}

async function makeVenv(name: string, packages: readonly string[]): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache")
  const folder = join(cache, "headrace-bench", `${name}-${Bun.hash(packages.join(" ")).toString(36)}`)
  const ready = join(folder, "ready")
  if (existsSync(ready)) return folder
  console.log(`Installing ${packages.join(" ")}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await capture(["python3", "-m", "venv", folder])
  await capture([
    join(folder, "bin/pip"),
    "install",
    "-q",
    "--disable-pip-version-check",
    "--only-binary",
    ":all:",
    ...packages,
  ])
  await Bun.write(ready, packages.join("\n"))
  return folder
}

async function works(program: string, probe: readonly string[]): Promise<string> {
  await capture([program, ...probe], {
    SLING_DISABLE_TELEMETRY: "TRUE",
    DISABLE_TELEMETRY: "true",
    INGESTR_DISABLE_TELEMETRY: "true",
    RUNTIME__DLTHUB_TELEMETRY: "false",
  })
  return program
}
