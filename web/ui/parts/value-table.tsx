import type { Columns } from "../../../core/contract/index.ts"
import { typeText } from "./type-text.ts"

/** Rows as they are: every value as text, NULL told from text, nothing made pretty. */
export function ValueTable({
  label,
  columns,
  rows,
}: {
  readonly label: string
  readonly columns: Columns
  readonly rows: readonly (readonly (string | null)[])[]
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard
    <div className="table-wrap value-box" tabIndex={0} role="region" aria-label={label}>
      <table className="values">
        <thead>
          <tr>
            {columns.map(({ name, type }) => (
              <th key={name} scope="col">
                {name}
                <small>{typeText(type)}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, nth) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
            <tr key={nth}>
              {row.map((value, at) => (
                <td key={columns[at]?.name ?? at} title={value ?? "NULL"} className={isNumber(columns, at) ? "end" : undefined}>
                  {value === null ? <span className="null">NULL</span> : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function isNumber(columns: Columns, at: number): boolean {
  return /^(u?int|float|decimal)/.test(columns[at]?.type.kind ?? "")
}
