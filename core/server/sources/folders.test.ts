import { expect, test } from "bun:test"
import { mayBeOpen, openPath } from "./folders.ts"

const policy = { folders: ["/srv/headrace/files", "/data"], closed: "/srv/headrace" }

test("folders resolves a path from the first folder and keeps it inside", () => {
  expect(openPath(policy, "a/b.csv")).toBe("/srv/headrace/files/a/b.csv")
  expect(openPath(policy, "./a/../b.csv")).toBe("/srv/headrace/files/b.csv")
  expect(openPath(policy, "/data//x.db")).toBe("/data/x.db")
  for (const path of [
    ...["../x", "/etc/passwd", "/srv/headrace/state.db", "/data/../etc/passwd", "/database/x", "a\0b", "/"],
    ...["../files2/x", "/srv/headrace/files/../state.db", "../../../../../../etc/passwd"],
  ])
    expect([path, openPath(policy, path)]).toEqual([path, undefined])
  expect(openPath({ folders: [], closed: "/x" }, "a")).toBeUndefined()
})

test("folders keeps Headrace's own files shut, however wide the others are open", () => {
  for (const folders of [["/"], ["/srv"], ["/srv/headrace"], ["/srv/headrace/"]]) {
    expect(openPath({ folders, closed: "/srv/headrace" }, "/srv/headrace/master.key")).toBeUndefined()
  }
  expect(openPath({ folders: ["/"], closed: "/srv/headrace" }, "/data/x")).toBe("/data/x")
})

test("folders judges a pattern by what stands before its first template", () => {
  for (const path of ["orders-${bizdate}.csv", "in/*.csv", "${folder}/x.csv", "/data/${a}", "/da${a}", "/${a}/b"])
    expect([path, mayBeOpen(policy, path)]).toEqual([path, true])
  for (const path of [
    "/etc/${a}",
    "../${a}",
    "/etc/*.csv",
    "/data/../etc/${a}",
    "/var/$[HH]",
    "{a/b/c,../../../../etc}/passwd",
  ])
    expect([path, mayBeOpen(policy, path)]).toEqual([path, false])
})
