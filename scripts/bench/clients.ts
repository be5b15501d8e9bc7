/** Command line programs that the harness runs. `mariadb` and `pgloader` may be missing; their cases are then skipped. */
export interface Clients {
  readonly psql: string
  readonly mariadb: string | undefined
  readonly pgloader: string | undefined
}

/** Finds the programs, and installs the missing ones from Debian packages when that is possible. */
export async function requireClients(): Promise<Clients> {
  const psql = await find("psql", "postgresql-client")
  if (psql === undefined) throw new Error(`Cannot run the benchmark: psql is missing; install postgresql-client`)
  return {
    psql,
    mariadb: await find("mariadb", "mariadb-client"),
    pgloader: await find("pgloader", "pgloader"),
  }
}

async function find(program: string, debianPackage: string): Promise<string | undefined> {
  const found = Bun.which(program)
  if (found !== null) return found
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) return undefined
  console.log(`Installing ${debianPackage} for ${program}`)
  const install = Bun.spawn(["apt-get", "install", "-y", "--no-install-recommends", debianPackage], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdout: "ignore",
    stderr: "inherit",
  })
  await install.exited
  return Bun.which(program) ?? undefined
}
