import type { FlowProblem } from "../../core/flow/problem.ts"
import type { Style } from "./style.ts"
import { printable } from "./text-table.ts"

/** An error or a warning in lines: what is wrong, and below it what would fix it. */
export function problemText(problem: FlowProblem, kind: "error" | "warning", style: Style): string {
  const { message, hint, step } = problem
  const label = kind === "error" ? style.red("error:") : style.yellow("warning:")
  const whole = step === undefined || message.includes(`"${step}"`) ? message : `Step "${step}": ${message}`
  const first = `${label} ${indented(whole)}`
  return hint === undefined ? first : `${first}\n  ${style.cyan("hint:")} ${indented(hint)}`
}

/** A problem of which nothing but the pointer tells where it is. */
export function placed(problem: FlowProblem): FlowProblem {
  const { pointer = "", step, message } = problem
  return pointer === "" || step !== undefined ? problem : { ...problem, message: `${pointer}: ${message}` }
}

/** Values and names of others stand in it: none can draw on the terminal. */
function indented(text: string): string {
  return text.split("\n").map(printable).join("\n  ")
}
