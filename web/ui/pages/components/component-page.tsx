import { lazy, Suspense } from "react"
import { useRead } from "../../api/query.ts"
import { FailureNotice } from "../../parts/notice.tsx"
import { PageHead, Panel, Skeleton } from "../../parts/page.tsx"
import type { Params } from "../../route/router.tsx"

const Markdown = lazy(() => import("../../parts/markdown.tsx"))

/** One component with its documentation. */
export default function ComponentPage({ params: { id = "" } }: { readonly params: Params }) {
  const found = useRead("GET /components/:id", { params: { id } })
  if (found.error && !found.data) return <FailureNotice cause={found.error} />
  if (!found.data) return <Skeleton lines={10} />
  const { title, summary, kind, plugin, version, documentation } = found.data
  return (
    <>
      <PageHead
        title={title}
        crumbs={[["Components", "/components"]]}
        about={summary}
        tag={<span className="tag">{kind}</span>}
      />
      <Panel title={<code>{id}</code>} actions={<span className="muted small">{`${plugin} ${version}`}</span>}>
        <Suspense fallback={<Skeleton lines={10} />}>
          <Markdown text={documentation} linkTo={(id) => `/components/${encodeURIComponent(id)}`} withoutTitle />
        </Suspense>
      </Panel>
    </>
  )
}
