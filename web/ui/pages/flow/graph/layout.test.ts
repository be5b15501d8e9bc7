import { expect, test } from "bun:test"
import { layoutGraph } from "./layout.ts"

const hop = (text: string) => {
  const [from = "", to = ""] = text.split(">")
  return { from, to }
}
const rowsOf = (ids: string, hops: string) => {
  const { nodes } = layoutGraph(ids.split(" "), hops === "" ? [] : hops.split(" ").map(hop))
  const rows = Object.groupBy(nodes, ({ y }) => y)
  return Object.values(rows).map((row) =>
    row
      ?.toSorted((a, b) => a.x - b.x)
      .map(({ id }) => id)
      .join(" "),
  )
}

test("layout puts every step below all that it reads from", () => {
  expect(rowsOf("out in mid", "in>mid mid>out in>out")).toEqual(["in", "mid", "out"])
  expect(rowsOf("a b c d", "a>b a>c b>d c>d")).toEqual(["a", "b c", "d"])
})

test("layout untangles what stands crosswise", () => {
  expect(rowsOf("a b x y", "a>y b>x")).toEqual(expect.arrayContaining([expect.any(String)]))
  const { nodes } = layoutGraph(["a", "b", "x", "y"], [hop("a>y"), hop("b>x")])
  const x = (id: string) => nodes.find((node) => node.id === id)?.x ?? 0
  expect(Math.sign(x("a") - x("b"))).toBe(Math.sign(x("y") - x("x")))
})

test("layout leads an edge around the layers that it passes", () => {
  const { edges } = layoutGraph(["a", "b", "c"], [hop("a>b"), hop("b>c"), hop("a>c")])
  expect(edges.map(({ points }) => points.length)).toEqual([2, 2, 3])
})

test("layout takes flows that are wrong: circles, hops to nowhere, hops to itself, and none", () => {
  expect(rowsOf("a b", "a>b b>a").flat()).toHaveLength(2)
  expect(layoutGraph(["a"], [hop("a>gone"), hop("a>a")]).edges).toEqual([])
  expect(layoutGraph([], [])).toMatchObject({ nodes: [], height: 46 })
})

test("layout is done at once with a thousand steps", () => {
  const ids = Array.from({ length: 1000 }, (_, nth) => `s${nth}`)
  const hops = ids.slice(1).map((to, nth) => ({ from: `s${Math.floor(nth / 3)}`, to }))
  expect(layoutGraph(ids, hops).nodes).toHaveLength(1000)
})
