import { diffLines, hunks } from "./line-diff.ts"
import { plural } from "./number-text.ts"
import { ScrollBox } from "./scroll-box.tsx"

/** Two texts, one under the other, as far as they differ. */
export function DiffView({
  before,
  after,
  label,
}: {
  readonly before: string
  readonly after: string
  readonly label: string
}) {
  const lines = diffLines(before, after)
  if (lines.every(({ kind }) => kind === "same"))
    return <p className="muted">The documents are the same to the letter.</p>
  return (
    <ScrollBox className="diff" label={label}>
      {hunks(lines).map((line, nth) =>
        typeof line === "number" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity
          <p key={nth} className="gap">
            {plural(line, "line")} without change
          </p>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity
          <div key={nth} className={line.kind}>
            <span className="nth">{line.before}</span>
            <span className="nth">{line.after}</span>
            <span>
              <span aria-hidden="true">{SIGNS[line.kind]}</span>
              {line.kind !== "same" && <span className="hidden">{line.kind}: </span>}
            </span>
            <span>{line.text}</span>
          </div>
        ),
      )}
    </ScrollBox>
  )
}

const SIGNS = { same: "", added: "+", removed: "−" } as const
