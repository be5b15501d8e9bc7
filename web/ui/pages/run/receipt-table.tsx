import type { RunReport, SplitReceipt } from "../../../../core/run/report.ts"
import { Icon } from "../../parts/icon.tsx"
import { Notice } from "../../parts/notice.tsx"
import { numberText, plural } from "../../parts/number-text.ts"
import { Empty } from "../../parts/page.tsx"
import { ScrollBox } from "../../parts/scroll-box.tsx"
import { type OutputSum, type ReceiptLine, receiptLines, sumLine } from "./receipt-lines.ts"

/** Where every row went: read + made = written + rejected + filtered, line by line and in the sum. */
export function ReceiptTable({
  receipts,
  outputs,
  committed,
  adjusted,
  isOpen,
}: {
  /** Of the splits that are committed, the first of them. */
  readonly receipts: readonly SplitReceipt[]
  /** Over all splits. */
  readonly outputs: readonly OutputSum[]
  /** How many splits are. */
  readonly committed: number
  readonly adjusted: RunReport["adjusted"]
  readonly isOpen: boolean
}) {
  const lines = receiptLines(receipts)
  if (lines.length === 0)
    return (
      <div className="panel">
        <Empty title="Nothing is committed">
          {isOpen
            ? "A line appears here for every split that has come to its end."
            : "No split of this run has come to its end, so no row has arrived."}
        </Empty>
      </div>
    )
  const shown = lines.slice(0, MOST)
  return (
    <div className="stack tight">
      {adjusted.length > 0 && (
        <Notice tone="warn" title="Values were changed by policies that the flow declares">
          {adjusted.map(({ step, column, policy, values }) => (
            <p key={`${step} ${column} ${policy}`}>
              {step}.{column}: {policy}, {plural(values, "value")}
            </p>
          ))}
        </Notice>
      )}
      <ScrollBox className="table-wrap" label="Receipt">
        <table>
          <thead>
            <tr>
              {HEADS.map(([text, end]) => (
                <th key={text} scope="col" className={end ? "end" : undefined}>
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((line) => (
              <Line key={`${line.split} ${line.output}`} line={line} name={line.label} />
            ))}
          </tbody>
          <tfoot>
            {outputs.map((sum) => (
              <Line key={sum.step} line={sumLine(sum)} name={`Sum of ${plural(sum.committed, "split")}`} />
            ))}
          </tfoot>
        </table>
      </ScrollBox>
      {lines.length > MOST && (
        <p className="muted small">{plural(lines.length - MOST, "more line")}; the sum is of all of them.</p>
      )}
      {committed > receipts.length && (
        <p className="muted small">
          These are the first {numberText(receipts.length)} of {plural(committed, "split")} that are committed.
        </p>
      )}
    </div>
  )
}

function Line({ line, name }: { readonly line: ReceiptLine; readonly name: string }) {
  return (
    <tr>
      <td className="wrap">{name}</td>
      <td className="wrap">{line.output}</td>
      {[line.read, line.made, line.written, line.rejected, line.filtered].map((count, nth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: five columns that never change places
        <td key={nth} className="end">
          {numberText(count)}
        </td>
      ))}
      <td className="narrow">
        {line.addsUp ? (
          <span className="adds-up">
            <Icon name="check" size={14} /> adds up
          </span>
        ) : (
          <span className="adds-not">
            <Icon name="warn" size={14} /> does not add up
          </span>
        )}
      </td>
      <td className="muted narrow">{line.guarantee}</td>
    </tr>
  )
}

const MOST = 200
const HEADS = [
  ["Split", false],
  ["Output", false],
  ["Read", true],
  ["Made", true],
  ["Written", true],
  ["Rejected", true],
  ["Filtered", true],
  ["Check", false],
  ["Guarantee", false],
] as const
