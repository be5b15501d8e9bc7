import { expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SmallDisk } from "./full-disk.ts"

test.if(SmallDisk.isPossible)(
  "full-disk refuses every byte while it is full, keeps what was there, and takes more afterwards",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "headrace-disk-"))
    try {
      using disk = SmallDisk.mount(folder, 1)
      writeFileSync(join(folder, "a"), "kept")
      disk.fill()
      expect(disk.freeBytes).toBe(0)
      expect(() => writeFileSync(join(folder, "b"), "x")).toThrow("ENOSPC")
      expect(readFileSync(join(folder, "a"), "utf8")).toBe("kept")
      disk.free()
      writeFileSync(join(folder, "b"), "x")
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
