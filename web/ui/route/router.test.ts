import { expect, test } from "bun:test"
import { matchPath } from "./router.tsx"

test.each([
  ["/", "/", {}],
  ["/flows", "/flows/", {}],
  ["/flows/:name", "/flows/a%2Fb%20c", { name: "a/b c" }],
  ["/flows/:name/:tab", "/flows/a/versions", { name: "a", tab: "versions" }],
  ["/docs/*", "/docs/components/csv", { rest: "components/csv" }],
  ["/flows/:name", "/flows/%E0%A4%A", { name: "%E0%A4%A" }],
])("router matches %s with %s", (pattern, path, params) => {
  expect(matchPath(pattern, path)).toEqual(params)
})

test.each([
  ["/flows", "/"],
  ["/flows", "/flows/a"],
  ["/flows/:name", "/flows"],
])("router does not match %s with %s", (pattern, path) => {
  expect(matchPath(pattern, path)).toBeUndefined()
})
