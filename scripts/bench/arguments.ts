/** What the command line asks for. */
export interface Options {
  /** Names of cases, or `memory`; empty: every case. */
  readonly cases: readonly string[]
  readonly rows: number
  readonly repeat: number
  readonly json: string | undefined
  readonly strict: boolean
  readonly keep: boolean
  readonly fsync: boolean
  readonly peers: boolean
  /** Our command line up to the verb. Absent: the binary, compiled for the purpose. */
  readonly ours: readonly string[] | undefined
  /** `host:port` of a running server, used instead of a private one. */
  readonly postgres: string | undefined
  readonly mariadb: string | undefined
}

export function parseOptions(argv: readonly string[]): Options | "help" {
  const words = [...argv]
  const cases: string[] = []
  const values = new Map<string, string>()
  const flags = new Set<string>()
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--help" || word === "-h") return "help"
    if (flagNames.includes(word)) flags.add(word)
    else if (valueNames.includes(word)) values.set(word, required(word, words.shift()))
    else if (word.startsWith("-")) throw new Error(`Cannot read the options: "${word}" is unknown, see --help`)
    else cases.push(word)
  }
  const quick = flags.has("--quick")
  return {
    cases,
    rows: count("--rows", values.get("--rows"), quick ? 300_000 : 3_000_000),
    repeat: count("--repeat", values.get("--repeat"), quick ? 2 : 5),
    json: values.get("--json"),
    strict: flags.has("--strict"),
    keep: flags.has("--keep"),
    fsync: !flags.has("--no-fsync"),
    peers: !flags.has("--no-peers"),
    ours: values.get("--ours")?.split(" "),
    postgres: values.get("--postgres"),
    mariadb: values.get("--mariadb"),
  }
}

export function usage(cases: readonly string[]): string {
  return `bun run bench [CASE…] [options]

Copies the same table with Headrace and with a reference, alternately, and compares the medians.

Cases: ${cases.join(", ")}, memory
  --rows N             rows of the table (3000000)
  --repeat N           timed runs of each side (5)
  --quick              --rows 300000 --repeat 2
  --json FILE          write the results
  --strict             exit with 1 when a limit is missed
  --no-peers           leave out sling, dlt, ingestr and pgloader
  --no-fsync           servers without fsync: less noise, not how a server is run
  --ours "COMMAND"     our command line up to the verb, such as "dist/headrace"
  --postgres HOST:PORT use this server (user postgres, no password) instead of a private one
  --mariadb HOST:PORT  the same for MariaDB (user root)
  --keep               keep the folder with flows, data and logs`
}

const flagNames: readonly string[] = ["--quick", "--strict", "--keep", "--no-peers", "--no-fsync"]
const valueNames: readonly string[] = ["--rows", "--repeat", "--json", "--ours", "--postgres", "--mariadb"]

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new Error(`Cannot read the options: "${name}" lacks its value`)
  return value
}

function count(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text.replaceAll("_", ""))
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`Cannot read the options: "${name}" is "${text}", not a count`)
  return value
}
