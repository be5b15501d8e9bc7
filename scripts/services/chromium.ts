/** Finds or installs the browser that looks at the pages; returns where it is. */
export function prepareChromium(): string {
  const found = findChromium()
  if (found) return found
  if (process.getuid?.() !== 0 || !Bun.which("apt-get"))
    throw new Error(`Cannot look at the pages: "chromium" is not on this machine; ${ADVICE}`)
  console.error("chromium is not on this machine, so it is installed now: apt-get install chromium")
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  for (const command of [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
  ]) {
    const { exitCode, stderr } = Bun.spawnSync(command, { env, stdin: "ignore", stdout: "ignore", stderr: "pipe" })
    if (exitCode !== 0) throw new Error(`Cannot look at the pages: ${command.join(" ")} has failed: ${stderr}`)
  }
  const installed = findChromium()
  if (!installed) throw new Error(`Cannot look at the pages: the package chromium has no program; ${ADVICE}`)
  return installed
}

export function findChromium(): string | undefined {
  return Bun.which("chromium") ?? undefined
}

const ADVICE = "install the Debian package chromium, or run as root where apt-get can"
