import type { FlowProblem } from "../../../../core/flow/problem.ts"
import { Icon } from "../../parts/icon.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { Empty } from "../../parts/page.tsx"
import type { Checked } from "./use-check.ts"

/** What is wrong with a flow; each leads to its place in the script. */
export function ProblemList({ checked, choose }: { readonly checked: Checked; choose(pointer: string): void }) {
  const { problems, warnings, failure, state } = checked
  if (failure) return <ProblemNotice problem={failure} />
  if (problems.length + warnings.length === 0)
    return state === "checking" ? (
      <p className="muted">Checking…</p>
    ) : (
      <Empty title="Nothing is wrong">The flow was checked against the systems that it uses. It can run.</Empty>
    )
  return (
    <div className="stack tight">
      {problems.map((one, nth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said twice
        <Line key={nth} problem={one} tone="" choose={choose} />
      ))}
      {warnings.map((one, nth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said twice
        <Line key={nth} problem={one} tone="warn" choose={choose} />
      ))}
    </div>
  )
}

function Line({
  problem,
  tone,
  choose,
}: {
  readonly problem: FlowProblem
  readonly tone: "" | "warn"
  choose(pointer: string): void
}) {
  const { message, hint, pointer } = problem
  const content = (
    <>
      <Icon name={tone === "" ? "close" : "warn"} />
      <span className="wrap">{message}</span>
      {hint && (
        <>
          <span />
          <span className="muted wrap">{hint}</span>
        </>
      )}
    </>
  )
  if (pointer === undefined) return <div className={`problem ${tone}`}>{content}</div>
  return (
    <button type="button" className={`problem ${tone}`} onClick={() => choose(pointer)}>
      {content}
    </button>
  )
}
