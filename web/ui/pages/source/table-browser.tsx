import { useState } from "react"
import type { TableInfo, TableName } from "../../../../core/contract/index.ts"
import type { ShownSource } from "../../../../core/server/sources/source-registry.ts"
import { useRead } from "../../api/query.ts"
import { Choices } from "../../parts/choices.tsx"
import { Icon } from "../../parts/icon.tsx"
import { Search } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { numberText, plural } from "../../parts/number-text.ts"
import { Empty, Panel, Skeleton } from "../../parts/page.tsx"
import { Table } from "../../parts/table.tsx"
import { typeText } from "../../parts/type-text.ts"
import { useSearch } from "../../route/router.tsx"

/** What tables there are, and what columns they have. */
export function TableBrowser({ source }: { readonly source: ShownSource }) {
  const [search, change] = useSearch()
  const text = search.get("text") ?? ""
  const [environment, setEnvironment] = useState<"prod" | "dev">("prod")
  const [chosen, setChosen] = useState<TableName>()
  const tables = useRead(
    "GET /sources/:name/tables",
    { params: { name: source.name }, query: { environment, ...(text && { text }) } },
    { keep: true },
  )
  // What a worker answers to a question for tables.
  const items = (tables.data ?? []) as readonly TableName[]
  const shown = items.slice(0, MOST)
  return (
    <>
      <div className="filters">
        <Search label="Search tables" value={text} change={(text) => change({ text })} />
        {source.dev && (
          <Choices
            quiet
            label="Environment"
            options={[
              ["prod", "Production"],
              ["dev", "Development"],
            ]}
            value={[environment]}
            change={([one]) => setEnvironment(one === "dev" ? "dev" : "prod")}
          />
        )}
      </div>
      {tables.error ? (
        <FailureNotice cause={tables.error} />
      ) : (
        <div className="browser">
          <nav className="panel table-list" aria-label="Tables">
            {tables.isPending && (
              <div className="empty">
                <Skeleton lines={6} />
              </div>
            )}
            {tables.isSuccess && shown.length === 0 && (
              <Empty title="No table">{text ? "None has this in its name." : "The account sees none."}</Empty>
            )}
            <ul>
              {shown.map((table) => (
                <li key={`${table.schema}.${table.name}`}>
                  <button
                    type="button"
                    aria-current={isSame(table, chosen) ? "true" : undefined}
                    onClick={() => setChosen(table)}
                  >
                    <Icon name="table" />
                    <span className="wrap">
                      {table.schema !== undefined && <span className="faint">{table.schema}.</span>}
                      {table.name}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
            {items.length > MOST && (
              <p className="muted small table-list-more">
                {plural(items.length - MOST, "more table")}: search by name.
              </p>
            )}
          </nav>
          {chosen ? (
            <ColumnList source={source} environment={environment} table={chosen} />
          ) : (
            <div className="panel">
              <Empty title="Choose a table">Its columns, keys and estimated rows are shown here.</Empty>
            </div>
          )}
        </div>
      )}
    </>
  )
}

function ColumnList({
  source,
  environment,
  table: { schema, name },
}: {
  readonly source: ShownSource
  readonly environment: "prod" | "dev"
  readonly table: TableName
}) {
  const found = useRead("GET /sources/:name/columns", {
    params: { name: source.name },
    query: { environment, table: name, ...(schema !== undefined && { schema }) },
  })
  if (found.error) return <FailureNotice cause={found.error} />
  // What a worker answers to a question for columns.
  const info = found.data as TableInfo | undefined
  return (
    <Panel
      flush
      title={<span className="wrap">{name}</span>}
      actions={
        info?.estimatedRows !== undefined && (
          <span className="muted small number">about {numberText(info.estimatedRows)} rows</span>
        )
      }
    >
      <Table
        label={`Columns of ${name}`}
        rows={info?.columns}
        keyOf={(column) => column.name}
        columns={[
          {
            label: "Column",
            cell: (column) => (
              <>
                <span className="mono wrap">{column.name}</span>
                {column.comment && <span className="sub wrap">{column.comment}</span>}
              </>
            ),
          },
          { label: "Type", cell: ({ type }) => <span className="mono">{typeText(type)}</span> },
          {
            label: "Declared as",
            cell: ({ native }) => <span className="mono muted wrap">{native?.type ?? "–"}</span>,
          },
          {
            label: "Besides",
            cell: (column) => (
              <span className="row">
                {info?.primaryKey.includes(column.name) && <span className="tag">primary key</span>}
                {!column.nullable && <span className="tag">not null</span>}
                {column.generated && <span className="tag">computed</span>}
                {column.identity && <span className="tag">identity</span>}
              </span>
            ),
          },
        ]}
      />
    </Panel>
  )
}

function isSame(a: TableName, b: TableName | undefined): boolean {
  return a.name === b?.name && a.schema === b?.schema
}

const MOST = 500
