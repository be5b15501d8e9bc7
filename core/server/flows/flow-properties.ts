import type { FlowProblem } from "../../flow/problem.ts"
import type { FlowProperties } from "../../store/tables/flow-tables.ts"

export const usualProperties: FlowProperties = {
  priority: 5,
  timeoutHours: 0,
  retries: 0,
  retryMinutes: 5,
  onCrash: "resume",
  concurrency: 1,
}

/** What is wrong with properties, field by field. */
export function propertyProblems(properties: FlowProperties): readonly FlowProblem[] {
  const { priority, timeoutHours, retries, retryMinutes, onCrash, concurrency } = properties
  return [
    ...range("priority", priority, 1, 9),
    ...(timeoutHours >= 0 && timeoutHours <= 168
      ? []
      : [{ pointer: "/properties/timeoutHours", message: `"timeoutHours" is ${timeoutHours}, it goes from 0 to 168` }]),
    ...range("retries", retries, 0, 10),
    ...range("retryMinutes", retryMinutes, 1, 60),
    ...range("concurrency", concurrency, 1, 100),
    ...(onCrash === "resume" || onCrash === "fail"
      ? []
      : [{ pointer: "/properties/onCrash", message: '"onCrash" is "resume" or "fail"' }]),
  ]
}

function range(name: string, value: number, least: number, most: number): readonly FlowProblem[] {
  if (Number.isInteger(value) && value >= least && value <= most) return []
  return [
    {
      pointer: `/properties/${name}`,
      message: `"${name}" is ${value}, a whole number from ${least} to ${most} is wanted`,
    },
  ]
}
