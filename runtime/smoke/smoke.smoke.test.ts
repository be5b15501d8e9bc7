import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mariadb, postgres } from "../../scripts/services/services.ts"
import { root } from "../../scripts/source-files.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-smoke-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const runtimes = {
  bun: [process.execPath],
  deno: [join(root, "node_modules/.bin/deno"), "run", "-A", "--node-modules-dir=manual", "--no-remote"],
}
const CHECKS = 9

describe.each(Object.keys(runtimes) as (keyof typeof runtimes)[])("smoke", (runtime) => {
  let lines: string[] = []
  let code = -1
  let errors = ""
  beforeAll(async () => {
    const [one, other] = [await postgres(), await mariadb()]
    const urls = [one.urlOf(await one.createDatabase("smoke")), other.urlOf(await other.createDatabase("smoke"))]
    const words = ["--out", join(folder, runtime), "--postgres", urls[0]!, "--mysql", urls[1]!]
    const child = Bun.spawn([...runtimes[runtime], join(root, "runtime/smoke/smoke.ts"), ...words], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    })
    const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
    lines = out.trim().split("\n")
    errors = err
    code = await child.exited
  }, 60_000)

  test(`smoke passes every check on ${runtime}`, () => {
    expect(
      lines.filter((line) => !line.startsWith("ok: ")),
      errors,
    ).toEqual(["all is well"])
    expect(lines).toHaveLength(CHECKS + 1)
    expect(code).toBe(0)
  })
})

test("smoke writes the same bytes on every runtime", () => {
  const [first, ...others] = Object.keys(runtimes).map((runtime) => join(folder, runtime))
  const files = readdirSync(first!).filter((name) => /\.(csv|arrow)$/.test(name))
  expect(files.length).toBeGreaterThan(7)
  for (const other of others)
    for (const name of files)
      expect(Bun.hash(readFileSync(join(other, name))), name).toBe(Bun.hash(readFileSync(join(first!, name))))
})

test("smoke says what it leaves out, and fails when a check fails", async () => {
  const run = (words: readonly string[]) =>
    Bun.spawn([process.execPath, join(root, "runtime/smoke/smoke.ts"), ...words], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    })
  const alone = run([])
  expect((await textOf(alone.stdout)).split("\n").filter((line) => line.startsWith("left out: "))).toHaveLength(4)
  expect(await alone.exited).toBe(0)
  const refused = run(["--mysql", "mysql://root@127.0.0.1:1/nothing"])
  expect(await textOf(refused.stdout)).toMatch(
    /^failed: a cancelled run leaves no table in mysql: [\s\S]*\n1 failed\n$/m,
  )
  expect(await refused.exited).toBe(1)
})

function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text()
}
