import { expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import { probeInput, probeOutput, probePlugins, probeRouter, probeTransform } from "../../scripts/testing/probes.ts"
import type { Columns, InputPlan, Output, Plugin } from "../contract/index.ts"
import type { Plan } from "./plan.ts"
import { FlowError } from "./problem.ts"

const abc: Columns = ["a", "b", "c", "d"].map((name) => ({ name, type: { kind: "int32" }, nullable: false }))

/** An input of four columns that keeps what it is asked for. */
function asked(id = "probe-input") {
  const requests: (readonly string[] | undefined)[] = []
  const input = probeInput({
    id,
    columns: abc,
    plan: (wanted) => {
      requests.push(wanted)
      return {}
    },
  })
  return { input, requests }
}

/** An output that uses these columns only. */
function using(id: string, ...names: string[]): Output {
  return probeOutput({ id, plan: () => ({ uses: names }) })
}

function problems(plugins: readonly Plugin[], flow: unknown, parameters?: Record<string, string>) {
  return testEngine({}, { plugins })
    .plan(flow, parameters === undefined ? {} : { parameters })
    .then(
      () => [],
      (error: unknown) => {
        if (error instanceof FlowError) return error.problems
        throw error
      },
    )
}

function outputOf(plan: Plan, step: string) {
  return plan.steps.find(({ id }) => id === step)!.output.map(({ name }) => name)
}

const straight = {
  version: 1,
  steps: [
    { id: "in", use: "probe-input" },
    { id: "out", use: "out" },
  ],
  hops: [{ from: "in", to: "out" }],
}

test("plan asks an input for the columns that are used, in the output's order", async () => {
  const { input, requests } = asked()
  const plan = await testEngine({}, { plugins: probePlugins(input, using("out", "d", "a")) }).plan(straight)
  expect(requests).toEqual([undefined, ["d", "a"]])
  expect(outputOf(plan, "in")).toEqual(["d", "a"])
  expect(plan.steps[1]!.input.map(({ name }) => name)).toEqual(["d", "a"])
})

test("plan asks for one column when none is used, because rows have to come", async () => {
  const { input, requests } = asked()
  await testEngine({}, { plugins: probePlugins(input, using("out")) }).plan(straight)
  expect(requests.at(-1)).toEqual(["a"])
})

test("plan asks through a transform for what its successor uses, and no more", async () => {
  const { input, requests } = asked()
  const plan = await testEngine({}, { plugins: probePlugins(input, using("out", "x", "b")) }).plan({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "pick", use: "select", config: { change: [{ column: "d", as: "x", type: "int64" }] } },
      { id: "more", use: "select", config: { drop: ["c"] } },
      { id: "out", use: "out" },
    ],
    hops: [
      { from: "in", to: "pick" },
      { from: "pick", to: "more" },
      { from: "more", to: "out" },
    ],
  })
  expect(requests.at(-1)?.toSorted()).toEqual(["b", "d"])
  expect(outputOf(plan, "more").toSorted()).toEqual(["b", "x"])
})

test("plan asks for the columns of all successors, in the source's order", async () => {
  const { input, requests } = asked()
  await testEngine({}, { plugins: probePlugins(input, using("one", "d", "b"), using("two", "a", "d")) }).plan({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "one", use: "one" },
      { id: "two", use: "two" },
    ],
    hops: [
      { from: "in", to: "one", send: "copy" },
      { from: "in", to: "two", send: "copy" },
    ],
  })
  expect(requests.at(-1)).toEqual(["a", "b", "d"])
})

test("plan keeps the columns of streams equal that flow together, whatever else uses one of them", async () => {
  const left = asked("left")
  const right = asked("right")
  const plugins = probePlugins(left.input, right.input, using("both", "b"), using("more", "c"))
  const plan = await testEngine({}, { plugins }).plan({
    version: 1,
    steps: [
      { id: "l", use: "left" },
      { id: "r", use: "right" },
      { id: "both", use: "both" },
      { id: "more", use: "more" },
    ],
    hops: [
      { from: "l", to: "both", send: "copy" },
      { from: "l", to: "more", send: "copy" },
      { from: "r", to: "both" },
    ],
  })
  expect(left.requests.at(-1)).toEqual(["b", "c"])
  expect(right.requests.at(-1)).toEqual(["b", "c"])
  expect(plan.steps.find(({ id }) => id === "both")!.input.map(({ name }) => name)).toEqual(["b", "c"])
})

test("plan keeps streams equal through routers and transforms that give more than they are asked for", async () => {
  const left = asked("left")
  const right = asked("right")
  const stubborn = probeTransform("stubborn", (_config, _shape, batches) => batches)
  const router = {
    ...probeRouter("route", ["x", "y"], (_config, batch) => new Uint8Array(batch.rows)),
    plan: () => ({ branches: ["x", "y"], requires: ["a"], issues: [] }),
  }
  const plugins = probePlugins(left.input, right.input, stubborn, router, using("out", "d"))
  const flow = (...behind: { id: string; use: string }[]) => ({
    version: 1,
    steps: [{ id: "l", use: "left" }, { id: "r", use: "right" }, ...behind, { id: "out", use: "out" }],
    hops: [
      { from: "l", to: behind[0]!.id },
      { from: behind[0]!.id, to: "out", ...(behind[0]!.use === "route" ? { send: "x" } : {}) },
      { from: "r", to: "out" },
    ],
  })
  const engine = testEngine({}, { plugins })
  await engine.plan(flow({ id: "m", use: "route" }))
  expect(left.requests.at(-1)).toEqual(["a", "d"])
  expect(right.requests.at(-1)).toEqual(["a", "d"])
  const plan = await engine.plan(flow({ id: "m", use: "stubborn" }))
  expect(outputOf(plan, "r")).toEqual(["a", "b", "c", "d"])
})

test("plan gives the outputs behind a router all the columns they use", async () => {
  const { input, requests } = asked()
  const router = {
    ...probeRouter("route", ["x"], (_config, batch) => new Uint8Array(batch.rows)),
    plan: () => ({ branches: ["x"], requires: ["b"], issues: [] }),
  }
  const plan = await testEngine({}, { plugins: probePlugins(input, router, using("out", "d")) }).plan({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "route", use: "route" },
      { id: "out", use: "out" },
    ],
    hops: [
      { from: "in", to: "route" },
      { from: "route", to: "out", send: "x" },
    ],
  })
  expect(requests.at(-1)).toEqual(["b", "d"])
  expect(plan.steps[1]!.branches).toEqual(["x"])
})

test("plan refuses hops of a router that name no branch of it", async () => {
  const router = probeRouter("route", ["large", "small"], (_config, batch) => new Uint8Array(batch.rows))
  const flow = {
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "route", use: "route" },
      { id: "one", use: "probe-output" },
      { id: "two", use: "probe-output" },
    ],
    hops: [
      { from: "in", to: "route" },
      { from: "route", to: "one", send: "larg" },
      { from: "route", to: "two" },
    ],
  }
  expect(await problems(probePlugins(probeInput(), probeOutput(), router), flow)).toEqual([
    {
      step: "route",
      message: 'The hop from router "route" to "one" names an unknown branch: "larg"',
      hint: 'Did you mean "large"?',
    },
    {
      step: "route",
      message: 'The hop from router "route" to "two" names no branch',
      hint: 'Set "send" to one of large, small',
    },
  ])
})

test("plan names step and column of everything that is wrong, before anything is opened", async () => {
  let opened = 0
  const input = probeInput({ columns: abc, open: async () => void opened++ })
  const found = await problems(probePlugins(input, probeOutput()), {
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "one", use: "select", config: { columns: ["a", "z"] } },
      { id: "two", use: "select", config: { columns: [{ column: "b", type: "uuid" }] } },
      { id: "out", use: "probe-output" },
      { id: "out2", use: "probe-output" },
    ],
    hops: [
      { from: "in", to: "one", send: "copy" },
      { from: "in", to: "two", send: "copy" },
      { from: "one", to: "out" },
      { from: "two", to: "out2" },
    ],
  })
  expect(found.map(({ step }) => step)).toEqual(["one", "two"])
  expect(found[0]!.message).toBe('Step "one": Cannot find column "z" in the input')
  expect(found[1]!.message).toContain('Step "two": Cannot cast column "b" from int32 to uuid')
  expect(opened).toBe(0)
})

test("plan refuses streams of different columns in one step", async () => {
  const other = (columns: Columns) => probeInput({ id: "other", columns })
  const flow = {
    version: 1,
    steps: [
      { id: "x", use: "probe-input" },
      { id: "y", use: "other" },
      { id: "out", use: "probe-output" },
    ],
    hops: [
      { from: "x", to: "out" },
      { from: "y", to: "out" },
    ],
  }
  const message = async (columns: Columns) => {
    const [found] = await problems(probePlugins(probeInput({ columns: abc }), other(columns), probeOutput()), flow)
    return found?.message.replace('Step "out" gets different columns from "x" and "y": ', "")
  }
  const [a, b, c, d] = abc as unknown as [Columns[0], Columns[0], Columns[0], Columns[0]]
  expect(await message([a!, b!, c!])).toBe("4 and 3 columns")
  expect(await message([b!, a!, c!, d!])).toBe('column 1 is "a" and "b"')
  expect(await message([{ ...a!, type: { kind: "decimal", scale: 2, precision: 10 } }, b!, c!, d!])).toBe(
    'column "a" is int32 and decimal(precision 10, scale 2)',
  )
  // The order of the keys, and keys without a value, mean nothing.
  const decimal: Columns = [{ ...a!, type: { kind: "decimal", precision: 10, scale: 2 } }]
  const turned: Columns = [{ ...a!, type: { scale: 2, kind: "decimal", precision: 10 } }]
  expect(await problems(probePlugins(probeInput({ columns: decimal }), other(turned), probeOutput()), flow)).toEqual([])
})

test("plan takes a column as nullable when it is in one of the streams that flow together", async () => {
  const nullable = probeInput({ id: "other", columns: abc.map((column) => ({ ...column, nullable: true })) })
  const plan = await testEngine(
    {},
    { plugins: probePlugins(probeInput({ columns: abc }), nullable, probeOutput()) },
  ).plan({
    version: 1,
    steps: [
      { id: "x", use: "probe-input" },
      { id: "y", use: "other" },
      { id: "out", use: "probe-output" },
    ],
    hops: [
      { from: "x", to: "out" },
      { from: "y", to: "out" },
    ],
  })
  expect(plan.steps.at(-1)!.input.every((column) => column.nullable)).toBe(true)
})

test("plan refuses an input that gives two columns of one name, none, or others than it was asked for", async () => {
  const message = async (plan: (wanted: readonly string[] | undefined) => Partial<InputPlan>) => {
    const input = probeInput({ columns: abc, plan })
    return (await problems(probePlugins(input, using("out", "a", "b")), straight))[0]?.message
  }
  expect(await message(() => ({ columns: [abc[0]!, abc[0]!] }))).toBe('Step "in": Two columns are called "a"')
  expect(await message(() => ({ columns: [] }))).toBe('Step "in": It gives no columns')
  expect(await message((wanted) => (wanted === undefined ? {} : { columns: [abc[1]!, abc[0]!] }))).toBe(
    'Step "in": Its component was asked for the columns a, b and gives b, a',
  )
})

test("plan forwards an encoding only when every condition holds", async () => {
  const plugins = (inputs: string[], ...outputs: string[][]) =>
    probePlugins(
      probeInput({ columns: abc, plan: () => ({ encodings: inputs }) as never }),
      probeTransform("pass", (_config, _shape, batches) => batches),
      ...outputs.map((encodings, i) => probeOutput({ id: `out${i}`, plan: () => ({ encodings }) })),
      probeOutput({ id: "turned", plan: () => ({ encodings: ["x"], uses: ["b", "a"] }) }),
    )
  const choose = async (from: readonly Plugin[], steps: object[], hops: object[], settings = {}) => {
    const plan = await testEngine({}, { plugins: from }).plan({
      version: 1,
      steps: [{ id: "in", use: "probe-input" }, ...steps],
      hops,
      settings,
    })
    return plan.steps.map(({ encoding }) => encoding)
  }
  const one = [{ id: "o", use: "out0" }]
  const two = [...one, { id: "p", use: "out1" }]
  const straightHop = [{ from: "in", to: "o" }]
  const both = (send: string) => ["o", "p"].map((to) => ({ from: "in", to, send }))
  const none = [undefined, undefined]
  expect(await choose(plugins(["x", "y"], ["y", "x"]), one, straightHop)).toEqual(["x", "x"])
  expect(await choose(plugins(["x"], ["y"]), one, straightHop)).toEqual(none)
  expect(await choose(plugins(["x"], ["x"]), one, straightHop, { forwarding: false })).toEqual(none)
  expect(await choose(plugins(["x"]), [{ id: "o", use: "turned" }], straightHop)).toEqual(["x", "x"])
  expect(await choose(plugins(["x", "y"], ["x", "y"], ["y"]), two, both("copy"))).toEqual(["y", "y", "y"])
  expect(await choose(plugins(["x"], ["x"], []), two, both("copy"))).toEqual([...none, undefined])
  expect(await choose(plugins(["x"], ["x"], ["x"]), two, both("round-robin"))).toEqual([...none, undefined])
  // Not with a step in between, which needs values.
  const through = [
    { from: "in", to: "t" },
    { from: "t", to: "o" },
  ]
  expect(await choose(plugins(["x"], ["x"]), [{ id: "t", use: "pass" }, ...one], through)).toEqual([...none, undefined])
  // Nor with two inputs, nor when the outputs want different columns.
  const second = [{ id: "in2", use: "probe-input" }, ...one]
  const joined = [...straightHop, { from: "in2", to: "o" }]
  expect(await choose(plugins(["x"], ["x"]), second, joined)).toEqual([...none, undefined])
  const differing = [...one, { id: "p", use: "turned" }]
  expect(await choose(plugins(["x"], ["x"]), differing, both("copy"))).toEqual([...none, undefined])
})

test("plan tells of parameters, options, components and hops that are wrong all at once", async () => {
  const found = await problems(probePlugins(probeInput(), probeOutput()), {
    version: 1,
    parameters: { day: { type: "date" } },
    steps: [
      { id: "in", use: "probe-input" },
      { id: "out", use: "probe-output" },
    ],
    hops: [{ from: "in", to: "uot" }],
  })
  expect(found.map(({ message }) => message)).toContain('The hop from "in" to "uot" names an unknown step: "uot"')
  expect(found.some(({ message }) => message.includes('"day"'))).toBe(true)
  const more = await problems(probePlugins(probeInput(), probeOutput()), {
    version: 1,
    steps: [
      { id: "in", use: "probe-inptu" },
      { id: "pick", use: "select", config: { colums: ["a"] } },
      { id: "out", use: "probe-output", config: { constructor: 1 } },
    ],
    hops: [{ from: "in", to: "pick" }],
  })
  expect(more).toEqual([
    { step: "pick", message: 'Step "pick" sends its rows nowhere', hint: "Add a hop to an output" },
    { step: "out", message: 'Step "out" is not connected to any other', hint: "Add a hop, or remove the step" },
    {
      step: "in",
      pointer: "/steps/0/use",
      message: 'Step "in" uses an unknown component: "probe-inptu"',
      hint: 'Did you mean "probe-input"?',
    },
    {
      step: "pick",
      pointer: "/steps/1/config/colums",
      message: 'Step "pick": There is no option "colums"',
      hint: 'Did you mean "columns"?',
    },
    expect.objectContaining({ step: "out", message: 'Step "out": There is no option "constructor"' }),
  ])
})

test("plan keeps the reason of a component that fails, and tells of several together", async () => {
  const failing = (id: string, reason: "missing" | "connection") =>
    probeInput({
      id,
      plan: (_wanted, session) => {
        throw session.failure(reason, `Cannot plan ${id}`, { hint: "Look" })
      },
    })
  const flow = (...inputs: string[]) => ({
    version: 1,
    steps: [...inputs.map((use, i) => ({ id: `i${i}`, use })), { id: "out", use: "probe-output" }],
    hops: inputs.map((_, i) => ({ from: `i${i}`, to: "out" })),
  })
  const plugins = probePlugins(failing("lost", "missing"), failing("down", "connection"), probeInput(), probeOutput())
  const engine = testEngine({}, { plugins })
  const thrown = (of: unknown) => engine.plan(of).catch((error: unknown) => error)
  expect(await thrown(flow("lost"))).toMatchObject({ _tag: "PluginError", reason: "missing", step: "i0" })
  expect(await thrown(flow("lost", "probe-input", "down"))).toMatchObject({ reason: "connection", step: "i2" })
  expect(await problems(plugins, flow("lost", "lost"))).toEqual([
    { step: "i0", message: 'Step "i0": Cannot plan lost', hint: "Look" },
    { step: "i1", message: 'Step "i1": Cannot plan lost', hint: "Look" },
  ])
})

test("plan and run take names that objects have of themselves for what they are", async () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"]
  const report = await testEngine().run({
    version: 1,
    steps: [
      {
        id: "__proto__",
        use: "rows-input",
        config: { rows: 100, columns: names.map((name) => ({ name, type: "string(20)", nullShare: 0.5 })) },
      },
      { id: "constructor", use: "select", config: { columns: names.toReversed() } },
      { id: "toString", use: "discard-output" },
    ],
    hops: [
      { from: "__proto__", to: "constructor" },
      { from: "constructor", to: "toString" },
    ],
  })
  expect(report.status).toBe("succeeded")
  expect(report.steps.map(({ step, rowsOut }) => [step, rowsOut])).toEqual([
    ["__proto__", 100],
    ["constructor", 100],
    ["toString", 100],
  ])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test("plan gives parameters of such names no meaning of their own", async () => {
  const flow = {
    version: 1,
    parameters: JSON.parse(
      '{"constructor":{"type":"integer","default":"7"},"__proto__":{"type":"integer","default":"3"}}',
    ),
    steps: [
      {
        id: "in",
        use: "rows-input",
        config: { rows: "${constructor}", seed: "${__proto__}", columns: [{ name: "a", type: "int32" }] },
      },
      { id: "out", use: "discard-output" },
    ],
    hops: [{ from: "in", to: "out" }],
  }
  const report = await testEngine().run(flow)
  expect(report.steps[1]!.rowsIn).toBe(7)
  const [unknown] = await problems(probePlugins(), { ...flow, parameters: {} })
  expect(unknown?.message).toContain("constructor")
})
