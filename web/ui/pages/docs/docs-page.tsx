import { useQuery } from "@tanstack/react-query"
import { lazy, Suspense } from "react"
import { docPath } from "../../parts/doc-path.ts"
import { FailureNotice } from "../../parts/notice.tsx"
import { PageHead, Skeleton } from "../../parts/page.tsx"
import { Link, type Params } from "../../route/router.tsx"

const Markdown = lazy(() => import("../../parts/markdown.tsx"))

/** The user documentation, as the binary holds it. */
export default function DocsPage({ params: { rest = "README" } }: { readonly params: Params }) {
  const name = (rest || "README").replace(/\.md$/, "")
  const pages = useFile("/docs/pages.json", async (answer) => (await answer.json()) as readonly DocPage[])
  const text = useFile(`/docs/${name.split("/").map(encodeURIComponent).join("/")}.md`, (answer) => answer.text())
  const title = pages.data?.find((page) => page.name === name)?.title ?? name
  return (
    <>
      <PageHead title={title} {...(name !== "README" && { crumbs: [["Documentation", "/docs"]] as const })} />
      <div className="reading">
        <DocList pages={pages.data ?? []} current={name} />
        <article className="panel">
          <div className="panel-body">
            {text.error ? <FailureNotice cause={text.error} /> : null}
            <Suspense fallback={<Skeleton lines={10} />}>
              {text.data === undefined ? (
                <Skeleton lines={10} />
              ) : (
                <Markdown text={text.data} linkTo={(href) => docPath(href, folderOf(name))} withoutTitle />
              )}
            </Suspense>
          </div>
        </article>
      </div>
    </>
  )
}

interface DocPage {
  readonly name: string
  readonly title: string
}

function DocList({ pages, current }: { readonly pages: readonly DocPage[]; readonly current: string }) {
  const guides = pages.filter(({ name }) => !name.startsWith("components/"))
  const ordered = guides.toSorted((a, b) => Number(b.name === "README") - Number(a.name === "README"))
  return (
    <nav className="folder-list" aria-label="Documentation">
      <ul>
        {ordered.map(({ name, title }) => (
          <li key={name}>
            <Link
              to={name === "README" ? "/docs" : `/docs/${name}`}
              aria-current={name === current ? "page" : undefined}
            >
              {name === "README" ? "Contents" : title}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function useFile<T>(path: string, read: (answer: Response) => Promise<T>) {
  return useQuery({
    queryKey: [path],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const answer = await fetch(path, { signal })
      if (!answer.ok)
        throw new Error(
          answer.status === 404 ? "There is no such page in the documentation" : `The server answered ${answer.status}`,
        )
      return read(answer)
    },
  })
}

function folderOf(name: string): string {
  const at = name.lastIndexOf("/")
  return at < 0 ? "" : name.slice(0, at)
}
