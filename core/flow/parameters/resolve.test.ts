import { describe, expect, test } from "bun:test"
import { type ResolveRequest, resolveParameters } from "./resolve.ts"

const dates = { bizdate: "2024-02-29", scheduledAt: "2024-03-01T08:30:00", timeZone: "Asia/Shanghai" }

describe("parameters resolve", () => {
  test("given values before defaults before built-in ones, in the declared types", () => {
    const { values, preview, problems } = resolve({
      parameters: {
        limit: { type: "integer", default: 5 },
        rate: { type: "decimal", default: ".50" },
        full: { type: "boolean", default: "1" },
        note: { type: "string", required: false },
        since: { type: "date", default: "${yyyyMMdd-1M}" },
        file: { type: "date", default: "2024-12-31", format: "dd.MM.yyyy" },
        at: { type: "timestamp", default: "$[yyyy-MM-dd HH:mm:ss-1h]" },
      },
      texts: ["${region}", "${bizdate}", "${yyyyMMdd-1d}", "$[HH-1/24]", "${RUN}"],
      given: { Region: "eu", limit: "007" },
      builtins: { flow: "shop", run: "r1" },
    })
    expect(problems).toBeUndefined()
    expect(preview).toEqual([
      { name: "limit", source: "given", type: "integer", value: "7" },
      { name: "rate", source: "default", type: "decimal", value: "0.50" },
      { name: "full", source: "default", type: "boolean", value: "true" },
      { name: "note", source: "empty", type: "string", value: "" },
      { name: "since", source: "default", type: "date", value: "2024-01-29" },
      { name: "file", source: "default", type: "date", value: "31.12.2024" },
      { name: "at", source: "default", type: "timestamp", value: "2024-03-01 07:30:00" },
      { name: "bizdate", source: "builtin", type: "string", value: "20240229" },
      { name: "flow", source: "builtin", type: "string", value: "shop" },
      { name: "run", source: "builtin", type: "string", value: "r1" },
      { name: "region", source: "given", type: "string", value: "eu" },
      { name: "${yyyyMMdd-1d}", source: "businessDate", type: "string", value: "20240228" },
      { name: "$[HH-1/24]", source: "scheduledTime", type: "string", value: "07" },
    ])
    expect(values).toMatchObject({
      limit: { type: "integer", value: "7" },
      file: { type: "string", value: "31.12.2024" },
      "yyyyMMdd-1d": { type: "string", value: "20240228" },
      "[HH-1/24]": { type: "string", value: "07" },
      run: { type: "string", value: "r1" },
      RUN: { type: "string", value: "r1" },
    })
  })

  test("references in dependency order, in given values and defaults", () => {
    const { values } = resolve({
      parameters: {
        path: { type: "string", default: "/data/${day}/$region.csv" },
        day: { type: "string", default: "${bizdate}-$[HH]" },
      },
      given: { region: "$half-west", half: "north" },
      texts: ["${region}"],
    })
    expect(values?.path?.value).toBe("/data/20240229-08/north-west.csv")
  })

  test("a declared name before a date format, and a format otherwise", () => {
    expect(resolve({ texts: ["${dd}"] }).values?.dd?.value).toBe("29")
    const declared = resolve({ parameters: { DD: { type: "integer", default: 5 } }, texts: ["${dd}", "${MM}"] })
    expect(declared.values).toMatchObject({ dd: { value: "5" }, DD: { value: "5" }, MM: { value: "02" } })
  })

  test("a built-in that is given or declared", () => {
    expect(resolve({ texts: ["${bizdate}"], given: { bizdate: "x" } }).values?.bizdate?.value).toBe("x")
    const typed = resolve({ parameters: { bizdate: { type: "date" } }, texts: ["${bizdate}"] })
    expect(typed.values?.bizdate).toEqual({ type: "date", value: "2024-02-29" })
    expect(typed.preview?.[0]).toMatchObject({ name: "bizdate", source: "builtin" })
  })

  test("escaped dollars and built-in values as they are", () => {
    const { values } = resolve({
      parameters: { a: { type: "string", default: "$${x} pa$$word 5$" } },
      builtins: { run: "${a}$a" },
      texts: ["${run}"],
    })
    expect(values).toMatchObject({ a: { value: "${x} pa$word 5$" }, run: { value: "${a}$a" } })
  })

  test("names that objects have of their own", () => {
    const parameters = JSON.parse(
      `{"__proto__":{"type":"string","default":"p"},"constructor":{"type":"string","default":"c"}}`,
    )
    const { values } = resolve({ parameters, texts: ["${__proto__}", "${constructor}"] })
    expect(Object.entries(values ?? {}).map(([name, value]) => [name, value.value])).toEqual([
      ["__proto__", "p"],
      ["constructor", "c"],
      ["bizdate", "20240229"],
    ])
    expect(resolve({ texts: ["${toString}"] }).problems?.[0]?.reason).toBe("missing")
  })
})

describe("parameters refuse", () => {
  const text = (value: string) => ({ type: "string", default: value })
  test.each([
    ["a cycle", { a: text("$b"), b: text("${a}") }, "a → b → a", "cycle"],
    ["a long cycle", { x: text("$a"), a: text("$b"), b: text("$c"), c: text("$A") }, "a → b → c → a", "cycle"],
    ["a self reference", { a: text("$a") }, `Cannot resolve parameter "a": it refers to itself`, "cycle"],
    ["a wrong default", { a: { type: "integer", default: "x" } }, `"x" is not an integer`, "value"],
    ["a missing value", { a: { type: "integer" } }, `Cannot resolve parameter "a": it has no value`, "missing"],
    ["a missing reference", { a: text("$region") }, `Cannot resolve parameter "region": it has no value`, "missing"],
    ["a bad template", { a: text("${yyyymmdd}") }, `Cannot read "\${yyyymmdd}": "mm" is the minute`, "template"],
    ["an open template", { a: text("${yyyy") }, "is not closed", "template"],
    ["a long default", { a: text("x".repeat(259)) }, "259 characters", "value"],
    ["a value that grows", { a: text("x".repeat(200)), b: text("$a$a") }, "400 characters", "value"],
    ["an offset beyond time", { a: text("${yyyyMMdd-9000y}") }, "0001 to 9999", "template"],
  ])("%s, once, where it stands", (_, parameters, message, reason) => {
    const { problems } = resolve({ parameters })
    expect(problems).toHaveLength(1)
    expect(problems?.[0]?.message).toContain(message)
    expect(problems?.[0]?.reason as string).toBe(reason)
    expect(problems?.[0]?.pointer).toStartWith("/parameters/")
  })

  test("values that grow from reference to reference before they fill the memory", () => {
    const parameters: Record<string, unknown> = { p0: text("x") }
    for (let i = 1; i < 40; i++) parameters[`p${i}`] = text(`$p${i - 1}`.repeat(50))
    const { problems } = resolve({ parameters })
    expect(problems?.[0]?.message).toContain(`Cannot set parameter "p2": the value has 2500 characters`)
  })

  test.each([
    ["a misspelt name", { reigon: "x" }, `Cannot set parameter "reigon"`, `Did you mean "region"?`],
    ["a strange name", { quite_other: "x" }, "does not declare or use it", "Declare it"],
    ["a reserved name", { glb_a: "x" }, "reserved", ""],
    ["a date format that is not declared", { yyyyMMdd: "x" }, "does not declare or use it", ""],
    ["two spellings", { region: "x", REGION: "y" }, `"region" is given too`, ""],
    ["a self reference", { bizdate: "$bizdate" }, `"bizdate": it refers to itself`, "value of its own"],
    ["a missing reference", { region: "$zone" }, `"zone": it has no value`, "-p zone="],
    ["an unreadable value", { region: "${a.b}" }, `in the value of parameter "region"`, "$${a.b}"],
    ["an open template", { region: "${a" }, "is not closed", "$${"],
    ["a wrong type", { limit: "many" }, `Cannot set parameter "limit": "many" is not an integer`, "digits"],
    ["an empty integer", { limit: "" }, `"" is not an integer`, "digits"],
    ["a cycle through a default", { region: "$echo" }, "region → echo → region", ""],
  ])("%s that is given", (_, given, message, hint) => {
    const { problems } = resolve({
      parameters: {
        region: { type: "string", default: "eu" },
        limit: { type: "integer", default: 1 },
        echo: { type: "string", default: "$region" },
      },
      texts: ["${bizdate}"],
      given,
    })
    expect(problems).toHaveLength(1)
    expect(problems?.[0]?.message).toContain(message)
    expect(problems?.[0]?.hint ?? "").toContain(hint)
  })

  test("an undeclared parameter without value, at its first use, with what may be meant", () => {
    const { problems } = resolve({ parameters: { region: text("eu") }, texts: ["x", "${regoin}", "${regoin}"] })
    expect(problems).toEqual([
      {
        reason: "missing",
        message: `Cannot resolve parameter "regoin": it has no value`,
        hint: `Give one with -p regoin=…, or declare a default; or did you mean "region"?`,
        pointer: "/steps/0/config/texts/1",
        parameter: "regoin",
      },
    ])
  })

  test("dates and declarations together", () => {
    const { problems } = resolve({ parameters: { a: {} }, bizdate: "x", scheduledAt: "y" })
    expect(problems?.map(({ reason }) => reason)).toEqual(["date", "date", "declaration"])
  })
})

interface Case extends Partial<Omit<ResolveRequest, "document">> {
  readonly parameters?: unknown
  readonly texts?: readonly string[]
}

function resolve({ parameters, texts = [], ...request }: Case) {
  const result = resolveParameters({ ...dates, ...request, document: { parameters, steps: [{ config: { texts } }] } })
  return result.problems === undefined
    ? { ...result, problems: undefined }
    : { problems: result.problems, values: undefined, preview: undefined }
}
