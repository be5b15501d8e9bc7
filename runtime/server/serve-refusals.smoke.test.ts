import { afterAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../../scripts/source-files.ts"
import { serve } from "../../scripts/testing/served.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-refused-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What somebody is told whose server does not start. */
async function refused(words: readonly string[], { home = folder, ...environment }: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, join(root, "runtime/main.ts"), "serve", ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH, HEADRACE_HOME: home, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const [out, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect(out).toBe("")
  // Whoever is told what to mend is not told that it is a fault of the program.
  expect(said).not.toMatch(/fault in Headrace|\n +at /)
  return { code: await child.exited, said }
}

describe("a server says what is wrong with how it is started:", () => {
  test("its port is taken", async () => {
    using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") })
    const { code, said } = await refused(["--port", String(other.port)])
    expect(said).toContain(`Cannot listen at 127.0.0.1, port ${other.port}: another program does`)
    expect(said).toContain("--port N")
    expect(code).toBe(2)
  })

  test.each([
    ["a port that there is not", ["--port", "99999"], {}, "The port is 99999"],
    ["a port that is no number", [], { HEADRACE_PORT: "eighty" }, 'HEADRACE_PORT is "eighty"'],
    ["no place for runs", ["--port", "0"], { HEADRACE_MOST_RUNS: "0" }, "HEADRACE_MOST_RUNS"],
    ["a host that is not here", ["--port", "0", "--host", "nowhere.invalid"], {}, "Cannot listen at nowhere.invalid"],
    ["an address that is none", ["--port", "0", "--public-url", "example.com"], {}, "The public address"],
  ])("%s", async (_, words, environment, message) => {
    const { code, said } = await refused(words, environment)
    expect(said).toContain(message)
    expect(code).toBe(2)
  })

  test("its store is of a kind that it does not know; its password is repeated nowhere", async () => {
    const before = readdirSync(folder)
    const { code, said } = await refused(["--port", "0", "--store", "mysql://me:hunter2hunter2@db/headrace"])
    expect(said).toContain('The store begins with "mysql:"')
    expect(said).not.toContain("hunter2")
    expect(code).toBe(2)
    expect(readdirSync(folder)).toEqual(before)
  })

  test("its folder cannot be made", async () => {
    writeFileSync(join(folder, "file"), "")
    const { code, said } = await refused(["--port", "0"], { home: join(folder, "file/home") })
    expect(said).toContain("a part of the path is no folder")
    expect(code).toBe(2)
  })

  test("its store is a folder", async () => {
    const home = join(folder, "odd")
    mkdirSync(join(home, "state.db"), { recursive: true })
    const { code, said } = await refused(["--port", "0"], { home })
    expect(said).toContain("it is a folder")
    expect(code).toBe(2)
  })

  test("its store is damaged: it is left as it is, and a backup is what helps", async () => {
    const home = join(folder, "damaged")
    mkdirSync(home)
    await using server = await serve({ home })
    expect(await server.stop()).toBe(0)
    const path = join(home, "state.db")
    truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096)
    const size = statSync(path).size
    const { code, said } = await refused(["--port", "0"], { home })
    expect(said).toContain("the file is damaged")
    expect(said).toContain("headrace restore")
    expect(code).toBe(2)
    expect(statSync(path).size).toBe(size)
  })
})
