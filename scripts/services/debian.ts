import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { must, run } from "./account.ts"

/**
 * Unpacks a package of another Debian suite, and all that it depends on, into `folder`; nothing of the machine changes.
 * The mirror is the machine's own, and apt checks signatures as always, but its lists and its idea of what is installed
 * are private.
 */
export function unpackDebian(suite: string, name: string, folder: string): void {
  const state = join(folder, "apt")
  for (const path of ["lists/partial", "cache/archives/partial", "log"])
    mkdirSync(join(state, path), { recursive: true })
  writeFileSync(join(state, "status"), "")
  const keys = run(["test", "-r", KEYRING]).ok ? `[signed-by=${KEYRING}] ` : ""
  writeFileSync(join(state, "sources.list"), `deb ${keys}${mirror()} ${suite} main\n`)
  const options = {
    "Dir::Etc::sourcelist": join(state, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::Etc::preferences": "-",
    "Dir::Etc::preferencesparts": "-",
    "Dir::State": state,
    "Dir::State::status": join(state, "status"),
    "Dir::Cache": join(state, "cache"),
    "Dir::Log": join(state, "log"),
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Acquire::http::Timeout": "20",
  }
  const config = join(state, "apt.conf")
  writeFileSync(
    config,
    Object.entries(options)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(""),
  )
  must(["apt-get", "-c", config, "-qq", "--error-on=any", "update"])
  must(["apt-get", "-c", config, "-qq", "--yes", "--no-install-recommends", "--download-only", "install", name])
  const archives = join(state, "cache/archives")
  for (const file of readdirSync(archives)) {
    if (file.endsWith(".deb")) must(["dpkg", "-x", join(archives, file), folder])
  }
  rmSync(state, { recursive: true })
}

/** From where this machine gets its own packages. */
function mirror(): string {
  const targets = must(["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"])
  const found = targets
    .split("\n")
    .map((line) => line.split(" "))
    .find(([release]) => release !== undefined && !/security|backports/.test(release))
  if (!found?.[1]) throw new Error("Cannot find a Debian mirror: apt knows of none")
  return found[1]
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
