import { expect, test } from "bun:test"
import { lifeOf, stateOf, thisProcess } from "./process-owner.ts"

test("process-owner knows a process that lives, one that has died, and one that only has its number", async () => {
  const self = thisProcess()
  expect(lifeOf(self)).toBe("alive")
  expect(lifeOf({ ...self, host: "another-machine" })).toBe("elsewhere")
  if (process.platform === "linux") expect(lifeOf({ ...self, start: "1@another-boot" })).toBe("gone")
  const child = Bun.spawn(["true"])
  await child.exited
  expect(lifeOf({ pid: child.pid, host: self.host })).toBe("gone")
})

test("process-owner calls a run interrupted whose process has died while it ran", async () => {
  const child = Bun.spawn(["true"])
  await child.exited
  const owner = { pid: child.pid, host: thisProcess().host }
  expect(stateOf({ status: "running", owner })).toBe("interrupted")
  expect(stateOf({ status: "failed", owner })).toBe("failed")
  expect(stateOf({ status: "running", owner: thisProcess() })).toBe("running")
})
