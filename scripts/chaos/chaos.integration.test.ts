import { expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Row } from "./campaign.ts"
import { shapeText } from "./shape.ts"

/** Of about 25 s, on a machine with other work. */
const LIMIT_MS = 400_000

test(
  "chaos kills everything in a short campaign, and nothing is lost, doubled or left over",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "headrace-chaos-test-"))
    try {
      const json = join(folder, "rows.jsonl")
      const child = Bun.spawn(
        [process.execPath, join(import.meta.dir, "main.ts"), "--quick", "--seed", SEED, "--runs", RUNS, "--json", json],
        { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
      )
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ])
      if (code !== 0) console.error(out, err)
      expect(code).toBe(0)
      const rows = readFileSync(json, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Row)
      expect(rows.filter(({ index }) => index > 0)).toHaveLength(Number(RUNS))
      // A campaign that hurts nobody proves nothing.
      const suffered = new Set(rows.flatMap((row) => row.suffered))
      expect(suffered.size).toBeGreaterThanOrEqual(4)
      expect(rows.some(({ result }) => result.attempts.some(({ words }) => words.startsWith("resume")))).toBe(true)
      expect(new Set(rows.map(({ shape }) => shapeText(shape))).size).toBeGreaterThan(3)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  LIMIT_MS,
)

/** Short, and yet with six kinds of faults, most of them at statements. */
const SEED = "suite-1836"
const RUNS = "7"
