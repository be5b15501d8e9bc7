import { describe, expect, test } from "bun:test"
import type { ParameterType } from "./declaration.ts"
import { isFault } from "./problem.ts"
import { readValue } from "./value.ts"

describe("parameters take values", () => {
  test.each([
    ["string", "", ""],
    ["string", "it's\n", "it's\n"],
    ["integer", "42", "42"],
    ["integer", "-007", "-7"],
    ["integer", "+0", "0"],
    ["integer", "-0", "0"],
    ["integer", "9007199254740993", "9007199254740993"],
    ["integer", "18446744073709551616000", "18446744073709551616000"],
    ["decimal", "12.50", "12.50"],
    ["decimal", "-.5", "-0.5"],
    ["decimal", "5.", "5"],
    ["decimal", "-0.00", "0.00"],
    ["decimal", "000.1", "0.1"],
    ["decimal", "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"],
    ["date", "2024-02-29", "2024-02-29"],
    ["date", "20240229", "2024-02-29"],
    ["date", "2000-02-29", "2000-02-29"],
    ["timestamp", "2024-02-29", "2024-02-29 00:00:00"],
    ["timestamp", "2024-02-29T12:00", "2024-02-29 12:00:00"],
    ["timestamp", "2024-02-29 12:00:00.500", "2024-02-29 12:00:00.5"],
    ["timestamp", "2024-02-29T12:00:00.123456Z", "2024-02-29 12:00:00.123456+00"],
    ["timestamp", "2024-02-29T12:00:00+0530", "2024-02-29 06:30:00+00"],
    ["timestamp", "2024-02-29T12:00:00-08", "2024-02-29 20:00:00+00"],
    ["timestamp", "20240229120001", "2024-02-29 12:00:01"],
    ["timestamp", "2024-02-29T23:30:00.9-01:00", "2024-03-01 00:30:00.9+00"],
    ["boolean", "TRUE", "true"],
    ["boolean", "0", "false"],
  ] satisfies [ParameterType, string, string][])("%s %j as %j", (type, text, value) =>
    expect(readValue(text, { type })).toEqual({ type, value }),
  )

  test.each([
    ["date", "20240229", "dd.MM.yyyy", "29.02.2024"],
    ["timestamp", "2024-02-29T12:34:56.789+08:00", "yyyyMMddHHmmssSSS", "20240229123456789"],
    ["timestamp", "2024-02-29T12:34:56.7", "SSS", "700"],
  ] satisfies [ParameterType, string, string, string][])("%s %s in format %s as %s", (type, text, format, value) =>
    expect(readValue(text, { type, format })).toEqual({ type: "string", value }),
  )
})

describe("parameters refuse values", () => {
  test.each([
    ["integer", ""],
    ["integer", "1.0"],
    ["integer", "1e3"],
    ["integer", " 1"],
    ["integer", "1\n"],
    ["integer", "0x10"],
    ["integer", "１"],
    ["decimal", "."],
    ["decimal", ""],
    ["decimal", "-"],
    ["decimal", "1e3"],
    ["decimal", "NaN"],
    ["decimal", "1,5"],
    ["date", "2023-02-29"],
    ["date", "1900-02-29"],
    ["date", "2024-13-01"],
    ["date", "2024-00-10"],
    ["date", "0000-01-01"],
    ["date", "2024-2-9"],
    ["date", "2024-02-29\n"],
    ["timestamp", "2024-02-29 24:00"],
    ["timestamp", "2024-02-29T12:60"],
    ["timestamp", "2024-02-29T12:00:00.1234567"],
    ["timestamp", "2024-02-29T12:00:00+16:00"],
    ["timestamp", "0001-01-01T00:00+01:00"],
    ["timestamp", "now"],
    ["boolean", "yes"],
    ["boolean", ""],
  ] satisfies [ParameterType, string][])("%s %j", (type, text) => {
    const value = readValue(text, { type })
    if (!isFault(value)) throw new Error("it was taken")
    expect(value.fault).toContain(`"${text}" is not a`)
    expect(value.hint).toBeString()
  })

  test("longer than 258 characters, counted as people do", () => {
    expect(readValue("😀".repeat(258), { type: "string" })).not.toHaveProperty("fault")
    expect(readValue("x".repeat(259), { type: "string" })).toMatchObject({ fault: expect.stringContaining("259") })
  })
})
