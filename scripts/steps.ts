import { projectFiles, root } from "./source-files.ts"

/** What came of one step of the gate. */
export interface Outcome {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Types, style and drift first, since they are fast and explain what fails later. */
export const okSteps: readonly (() => Promise<Outcome>)[] = [
  () => check("types", ["node_modules/typescript/bin/tsc", "-p", "."]),
  () => check("style", ["node_modules/@biomejs/biome/bin/biome", "check", "--diagnostic-level=error"]),
  () => tests("boundaries", BOUNDARY_TESTS),
  () => tests("drift", DRIFT_TESTS),
  () => tests("unit tests", testFiles("unit")),
]

export function integrationStep(): Promise<Outcome> {
  return tests("integration tests", testFiles("integration"), SERVER_LIMIT_MS)
}

export function smokeStep(): Promise<Outcome> {
  return tests("smoke", testFiles("smoke"), SERVER_LIMIT_MS)
}

/** `a.test.ts` is a unit test; `a.integration.test.ts` and `a.smoke.test.ts` are what they say. */
export function testFiles(kind: "unit" | "integration" | "smoke"): string[] {
  const files = projectFiles("{core,plugins,runtime,web,scripts}/**/*.test.{ts,tsx}")
  if (kind !== "unit") return files.filter((path) => path.includes(`.${kind}.test.`))
  const earlier = new Set([...BOUNDARY_TESTS, ...DRIFT_TESTS])
  return files.filter((path) => !/\.(integration|smoke)\.test\./.test(path) && !earlier.has(path))
}

/** The counts that `bun test` prints last; a file that cannot be loaded counts as failed there, unlike in its reports. */
export function readCounts(output: string): { passed: number; failed: number; skipped: number } {
  const last = (word: string) => Number([...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}$`, "gm"))].at(-1)?.[1] ?? 0)
  return { passed: last("pass"), failed: last("fail"), skipped: last("skip") }
}

/** A program of `node_modules` that passes or fails as a whole. It counts when it fails, as it is no test. */
async function check(name: string, command: readonly string[]): Promise<Outcome> {
  title(name)
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: root,
    stdin: "ignore",
    stdio: ["ignore", "inherit", "inherit"],
  })
  return { name, passed: 0, failed: (await child.exited) === 0 ? 0 : 1, skipped: 0 }
}

async function tests(name: string, files: readonly string[], limitMs = UNIT_LIMIT_MS): Promise<Outcome> {
  title(name)
  if (files.length === 0) return { name, passed: 0, failed: 0, skipped: 0 }
  const color = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}
  const paths = files.map((path) => `./${path}`)
  const child = Bun.spawn([process.execPath, "test", `--timeout=${limitMs}`, "--only-failures", ...paths], {
    cwd: root,
    env: { ...process.env, ...color },
    stdio: ["ignore", "inherit", "pipe"],
  })
  const counts = readCounts(Bun.stripANSI(await show(child.stderr)))
  const code = await child.exited
  // A crash prints no counts, and a run of nothing proves nothing.
  const isUnexplained = counts.failed === 0 && (code !== 0 || counts.passed + counts.skipped === 0)
  return { name, ...counts, failed: isUnexplained ? 1 : counts.failed }
}

async function show(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of stream) {
    process.stderr.write(chunk)
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function title(name: string): void {
  console.error(`\n== ${name}`)
}

const BOUNDARY_TESTS = ["scripts/import-boundaries.test.ts", "scripts/style.test.ts"]
const DRIFT_TESTS = ["scripts/registry.test.ts"]
/** For one test. Starting a database on a busy machine is the slowest thing that a test does. */
const UNIT_LIMIT_MS = 15_000
const SERVER_LIMIT_MS = 60_000
