import { type FaultKind, faultKinds } from "./fault.ts"
import { type Mode, modes } from "./shape.ts"

/** What the command line asks for. */
export interface Options {
  readonly runs: number
  readonly seed: string
  /** Only the run of this number. */
  readonly only: number | undefined
  readonly mode: Mode | undefined
  readonly fault: FaultKind | undefined
  readonly json: string | undefined
  readonly parallel: number
  readonly quick: boolean
}

export function parseOptions(argv: readonly string[]): Options | "help" {
  const words = [...argv]
  const values = new Map<string, string>()
  let quick = false
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--help" || word === "-h") return "help"
    if (word === "--quick") quick = true
    else if (valueNames.includes(word)) values.set(word, required(word, words.shift()))
    else throw new Error(`Cannot read the options: "${word}" is unknown, see --help`)
  }
  const only = values.get("--only")
  return {
    runs: count("--runs", values.get("--runs") ?? "100"),
    seed: values.get("--seed") ?? crypto.randomUUID().slice(0, 8),
    only: only === undefined ? undefined : count("--only", only),
    mode: choice("--mode", values.get("--mode"), modes),
    fault: choice("--fault", values.get("--fault"), faultKinds(true)),
    json: values.get("--json"),
    parallel: count("--parallel", values.get("--parallel") ?? "2"),
    quick,
  }
}

export function usage(): string {
  return `bun run chaos [options]

Copies tables, kills whatever takes part at random instants, resumes, and counts what is lost, doubled or left over.

  --runs N      number of runs (100)
  --seed TEXT   the same seed draws the same runs; printed when it is not given
  --only N      only run N of the seed
  --mode MODE   ${modes.join(", ")}
  --fault KIND  ${faultKinds(true).join(", ")}
  --parallel N  runs at the same time (2)
  --quick       small tables and short stalls
  --json FILE   write one line of JSON for each run`
}

const valueNames: readonly string[] = ["--runs", "--seed", "--only", "--mode", "--fault", "--parallel", "--json"]

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new Error(`Cannot read the options: "${name}" lacks its value`)
  return value
}

function count(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`Cannot read the options: "${name}" is "${text}", not a count`)
  return value
}

function choice<A extends string>(name: string, text: string | undefined, choices: readonly A[]): A | undefined {
  if (text === undefined) return undefined
  const found = choices.find((each) => each === text)
  if (found === undefined)
    throw new Error(`Cannot read the options: "${name}" is "${text}", not one of ${choices.join(", ")}`)
  return found
}
