import { type ReactNode, useEffect } from "react"
import { Link } from "../route/router.tsx"

/** Title of a page with where it belongs and what one can do here. */
export function PageHead({
  title,
  about,
  crumbs = [],
  children,
  tag,
}: {
  readonly title: string
  readonly about?: ReactNode
  readonly crumbs?: readonly (readonly [text: string, to: string])[]
  /** Buttons. */
  readonly children?: ReactNode
  /** Beside the title. */
  readonly tag?: ReactNode
}) {
  useEffect(() => {
    document.title = `${title} · Headrace`
  }, [title])
  return (
    <div className="page-head">
      <div>
        {crumbs.length > 0 && (
          <nav className="crumbs" aria-label="Breadcrumb">
            {crumbs.map(([text, to]) => (
              <span key={to}>
                <Link to={to}>{text}</Link> /
              </span>
            ))}
          </nav>
        )}
        <div className="row">
          <h1 className="wrap" tabIndex={-1}>
            {title}
          </h1>
          {tag}
        </div>
        {about && <p className="about wrap">{about}</p>}
      </div>
      {children && <div className="actions">{children}</div>}
    </div>
  )
}

export function Panel({
  title,
  actions,
  children,
  flush = false,
}: {
  readonly title: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
  /** Without space around what it holds. */
  readonly flush?: boolean
}) {
  return (
    <section className="panel">
      <div className="panel-head">
        <h2>{title}</h2>
        {actions}
      </div>
      {flush ? children : <div className="panel-body">{children}</div>}
    </section>
  )
}

/** Nothing is here yet, and what to do about it. */
export function Empty({
  title,
  children,
  action,
}: {
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
}) {
  return (
    <div className="empty">
      <strong className="empty-title">{title}</strong>
      {children && <p>{children}</p>}
      {action && <div className="actions">{action}</div>}
    </div>
  )
}

/** Pairs of a name and a value. */
export function Facts({ items }: { readonly items: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Skeleton({ lines = 4 }: { readonly lines?: number }) {
  return (
    <div className="stack tight" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never change places
        <div key={at} className="skeleton" style={{ width: `${90 - ((at * 37) % 45)}%` }} />
      ))}
    </div>
  )
}
