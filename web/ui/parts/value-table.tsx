import type { Columns } from "../../../core/contract/index.ts"
import { ScrollBox } from "./scroll-box.tsx"
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
    <ScrollBox className="table-wrap value-box" label={label}>
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
                <td
                  key={columns[at]?.name ?? at}
                  title={value ?? "NULL"}
                  className={isNumber(columns, at) ? "end" : undefined}
                >
                  {value === null ? <span className="null">NULL</span> : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  )
}

function isNumber(columns: Columns, at: number): boolean {
  return /^(u?int|float|decimal)/.test(columns[at]?.type.kind ?? "")
}
