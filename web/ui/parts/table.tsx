import type { ReactNode } from "react"
import { Skeleton } from "./page.tsx"
import { ScrollBox } from "./scroll-box.tsx"

export interface Column<T> {
  readonly label: string
  cell(row: T): ReactNode
  readonly end?: boolean
  readonly narrow?: boolean
  /** Only for those who cannot see; the column says itself what it is. */
  readonly quiet?: boolean
}

/** Rows with columns; on a phone every row becomes a card, headed by its first column. */
export function Table<T>({
  label,
  rows,
  columns,
  keyOf,
  empty,
  foot,
}: {
  /** What the table lists, for those who cannot see. */
  readonly label: string
  readonly rows: readonly T[] | undefined
  readonly columns: readonly Column<T>[]
  keyOf(row: T): string
  readonly empty?: ReactNode
  readonly foot?: ReactNode
}) {
  if (rows === undefined) {
    return (
      <div className="table-wrap">
        <div className="empty">
          <Skeleton lines={6} />
        </div>
      </div>
    )
  }
  if (rows.length === 0 && empty) return <div className="table-wrap">{empty}</div>
  return (
    <ScrollBox className="table-wrap" label={label}>
      <table className="cards">
        <thead>
          <tr>
            {columns.map(({ label, end, quiet }) => (
              <th key={label} scope="col" className={end ? "end" : undefined}>
                {quiet ? <span className="hidden">{label}</span> : label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ label, cell, end, narrow, quiet }, at) => (
                <td
                  key={label}
                  data-label={quiet ? undefined : label}
                  className={`${at === 0 ? "lead" : ""} ${end ? "end" : ""} ${narrow ? "narrow" : ""}`}
                >
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
        {foot}
      </table>
    </ScrollBox>
  )
}
