import { expect, test } from "bun:test"
import type { ComponentKind } from "../contract/index.ts"
import type { Flow, FlowHop } from "./flow-schema.ts"
import { checkGraph } from "./graph.ts"

const kinds: Readonly<Record<string, ComponentKind>> = {
  in: "input",
  map: "transform",
  route: "router",
  out: "output",
  db: "database",
}

/** Steps are written `id:use`, hops `from>to` or `from>to:send`. */
function check(steps: string, hops: string) {
  const flow = {
    version: 1,
    steps: steps.split(" ").map((step) => ({ id: step.split(":")[0]!, use: step.split(":")[1]!, config: {} })),
    hops: hops
      .split(" ")
      .filter((hop) => hop !== "")
      .map((hop): FlowHop => {
        const [, from, to, send] = /^(.+)>([^:]+)(?::(.+))?$/.exec(hop) as unknown as [string, string, string, string?]
        return { from, to, ...(send === undefined ? {} : { send }) }
      }),
  }
  // Settings are not looked at.
  return checkGraph(flow as unknown as Flow, (use) => kinds[use])
}

function messages(steps: string, hops: string): string[] {
  return check(steps, hops).problems.map(({ message }) => message)
}

test("graph orders steps so that each comes after its predecessors", () => {
  const { graph, problems } = check("z:out b:map a:in c:map", "a>b:copy a>c:copy b>z c>z")
  expect(problems).toEqual([])
  expect(graph.order).toEqual(["a", "b", "c", "z"])
  expect(graph.incoming.get("z")).toEqual([
    { from: "b", to: "z" },
    { from: "c", to: "z" },
  ])
})

test("graph names hops to steps that do not exist, and the step that is meant", () => {
  const { problems } = check("orders:in target:out", "orders>target ordres>target orders>x")
  expect(problems).toEqual([
    {
      pointer: "/hops/1/from",
      message: 'The hop from "ordres" to "target" names an unknown step: "ordres"',
      hint: 'Did you mean "orders"?',
    },
    {
      pointer: "/hops/2/to",
      message: 'The hop from "orders" to "x" names an unknown step: "x"',
      hint: "There are orders, target",
    },
  ])
})

test("graph refuses two steps of one name and two hops between the same steps", () => {
  expect(check("a:in a:in b:out", "a>b").problems[0]).toEqual({
    step: "a",
    pointer: "/steps/1",
    message: 'Two steps are called "a"',
    hint: "Rename one of them",
  })
  expect(messages("a:in b:out", "a>b:copy a>b:copy")).toEqual(['Two hops lead from "a" to "b"'])
  expect(messages("a:in r:route b:out", "a>r r>b:x r>b:y")).toEqual([])
})

test("graph shows the path of a cycle", () => {
  expect(messages("a:in x:map y:map z:map b:out", "a>x x>y y>z:copy z>x y>b:copy")).toContain(
    "The steps form a cycle: x → y → z → x",
  )
  expect(messages("a:in x:map b:out", "a>x x>x:copy x>b:copy")).toContain("The steps form a cycle: x → x")
  // Behind a cycle, but not on it.
  expect(messages("a:in x:map y:map b:out", "a>x x>y:copy y>x y>b")[0]).toBe("The steps form a cycle: x → y → x")
})

test("graph tells of steps without a place in the flow", () => {
  expect(messages("a:in b:out lost:map", "a>b")).toEqual(['Step "lost" is not connected to any other'])
  expect(messages("a:in m:map b:out", "a>b:copy a>m:copy")).toEqual(['Step "m" sends its rows nowhere'])
  expect(messages("a:in m:map b:out", "a>b m>b")).toEqual(['Step "m" gets no rows: no hop leads to it'])
  expect(messages("a:in b:in c:out", "a>b:copy a>c:copy b>c")).toEqual(['Input "b" has a predecessor: a'])
  expect(messages("a:in b:out c:out", "a>b b>c")).toEqual(['Output "b" has a successor: c'])
  expect(messages("a:in d:db b:out", "a>b")).toEqual(['Step "d" uses a database type, which is no step'])
})

test("graph wants one sending method where a step has several successors", () => {
  expect(messages("a:in b:out c:out", "a>b a>c")).toEqual(['Step "a" has 2 successors and no sending method'])
  expect(messages("a:in b:out c:out", "a>b:copy a>c")).toEqual(['Step "a" has 2 successors and no sending method'])
  expect(messages("a:in b:out c:out", "a>b:copy a>c:round-robin")).toEqual(['Step "a" mixes sending methods'])
  expect(messages("a:in b:out", "a>b:sometimes")).toEqual(['Step "a" cannot send by "sometimes"'])
  expect(messages("a:in b:out", "a>b:copy")).toEqual([])
  expect(messages("a:in r:route b:out c:out", "a>r r>b:left r>c:right")).toEqual([])
})

test("graph wants an input and an output", () => {
  expect(messages("m:map b:out", "m>b")).toEqual(['Step "m" gets no rows: no hop leads to it', "The flow has no input"])
  expect(messages("a:in m:map", "a>m")).toEqual(['Step "m" sends its rows nowhere', "The flow has no output"])
  // What an unknown component is, nobody knows.
  expect(messages("a:in x:what", "a>x")).toEqual([])
})

test("graph reports everything at once, with step and hint", () => {
  const { problems } = check("a:in a:in m:map n:map b:out c:out", "a>b a>c m>n n>m b>ghost")
  expect(problems.map(({ message }) => message)).toEqual([
    'Two steps are called "a"',
    'The hop from "b" to "ghost" names an unknown step: "ghost"',
    "The steps form a cycle: m → n → m",
    'Step "a" has 2 successors and no sending method',
    'Step "a" has 2 successors and no sending method',
  ])
  for (const problem of problems.slice(2))
    expect([typeof problem.step, typeof problem.hint]).toEqual(["string", "string"])
})

test("graph takes names that objects have of themselves for what they are", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"]
  const { graph, problems } = check(
    `${names.map((name) => `${name}:in`).join(" ")} out:out`,
    names.map((name) => `${name}>out`).join(" "),
  )
  expect(problems).toEqual([])
  expect(graph.order).toEqual([...names, "out"])
  expect(messages("a:in b:out", "a>b constructor>b")).toEqual([
    'The hop from "constructor" to "b" names an unknown step: "constructor"',
  ])
})

test("graph stays quick with thousands of steps on one cycle", () => {
  const ids = Array.from({ length: 3000 }, (_, i) => `s${i}`)
  const hops = ids.map((id, i) => `${id}>${ids[(i + 1) % ids.length]}`).join(" ")
  const { problems } = check(ids.map((id) => `${id}:map`).join(" "), hops)
  expect(problems[0]!.message).toStartWith("The steps form a cycle: ")
})
