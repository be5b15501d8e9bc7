import type { FlowProblem } from "../../core/flow/problem.ts"
import type { Style } from "./style.ts"

/** An error or a warning in lines: what is wrong, and below it what would fix it. */
export function problemText(problem: FlowProblem, kind: "error" | "warning", style: Style): string {
  const { message, hint, step } = problem
  const label = kind === "error" ? style.red("error:") : style.yellow("warning:")
  const whole = step === undefined || message.includes(`"${step}"`) ? message : `Step "${step}": ${message}`
  const first = `${label} ${indented(whole)}`
  return hint === undefined ? first : `${first}\n  ${style.cyan("hint:")} ${indented(hint)}`
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n  ")
}
