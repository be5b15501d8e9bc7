import { lexer, type Token, type Tokens } from "marked"
import { Fragment, type ReactNode } from "react"
import { Link } from "../route/router.tsx"
import { docPath } from "./doc-path.ts"
import { ScrollBox } from "./scroll-box.tsx"

/**
 * Markdown as elements. No HTML is made anywhere: what stands in the text as HTML is shown as the text that it is, and
 * only addresses of known kinds become links.
 */
export default function Markdown({
  text,
  linkTo = (href) => docPath(href, ""),
  withoutTitle = false,
}: {
  readonly text: string
  /** Where a relative link leads. */
  linkTo?(href: string): string
  /** The page shows it already. */
  readonly withoutTitle?: boolean
}) {
  const tokens = lexer(text).filter(
    (token) => !(withoutTitle && token.type === "heading" && token["depth"] === 1) && !isComment(token),
  )
  return <div className="markdown">{blocks(tokens, linkTo)}</div>
}

function blocks(tokens: readonly Token[], linkTo: LinkTo): ReactNode {
  return tokens.map((token, nth) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
    <Fragment key={nth}>{block(token as MarkedToken, linkTo)}</Fragment>
  ))
}

type LinkTo = (href: string) => string

/** marked's own kinds of tokens; extensions, which could make others, are not used. */
type MarkedToken =
  | Tokens.Heading
  | Tokens.Paragraph
  | Tokens.Code
  | Tokens.List
  | Tokens.Table
  | Tokens.Blockquote
  | Tokens.Hr
  | Tokens.Space
  | Tokens.HTML
  | Tokens.Text
  | Tokens.Strong
  | Tokens.Em
  | Tokens.Del
  | Tokens.Codespan
  | Tokens.Link
  | Tokens.Image
  | Tokens.Br
  | Tokens.Escape

function block(token: MarkedToken, linkTo: LinkTo): ReactNode {
  switch (token.type) {
    case "heading": {
      const Heading = HEADINGS[Math.min(token.depth, 4) - 1] ?? "h4"
      return <Heading id={idOf(token.text)}>{inline(token.tokens, linkTo)}</Heading>
    }
    case "paragraph":
      return <p>{inline(token.tokens, linkTo)}</p>
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      )
    case "list":
      return <List list={token} linkTo={linkTo} />
    case "table":
      return <MarkdownTable table={token} linkTo={linkTo} />
    case "blockquote":
      return <blockquote>{blocks(token.tokens, linkTo)}</blockquote>
    case "hr":
      return <hr />
    case "space":
      return null
    case "text":
      return token.tokens ? inline(token.tokens, linkTo) : plain(token.text)
    default:
      return inline([token], linkTo)
  }
}

function inline(tokens: readonly Token[] | undefined, linkTo: LinkTo): ReactNode {
  return tokens?.map((token, nth) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
    <Fragment key={nth}>{inlinePart(token as MarkedToken, linkTo)}</Fragment>
  ))
}

function inlinePart(token: MarkedToken, linkTo: LinkTo): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens, linkTo)}</strong>
    case "em":
      return <em>{inline(token.tokens, linkTo)}</em>
    case "del":
      return <del>{inline(token.tokens, linkTo)}</del>
    case "codespan":
      return <code>{plain(token.text)}</code>
    case "br":
      return <br />
    case "link":
      return (
        <MarkdownLink href={token.href} linkTo={linkTo}>
          {inline(token.tokens, linkTo)}
        </MarkdownLink>
      )
    case "image":
      return token.text
    case "text":
      return token.tokens ? inline(token.tokens, linkTo) : plain(token.text)
    default:
      return "text" in token && token.type !== "html" ? plain(token.text) : token.raw
  }
}

function List({ list, linkTo }: { readonly list: Tokens.List; readonly linkTo: LinkTo }) {
  const Kind = list.ordered ? "ol" : "ul"
  return (
    <Kind {...(list.ordered && typeof list.start === "number" && { start: list.start })}>
      {list.items.map((item, nth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
        <li key={nth}>{blocks(item.tokens, linkTo)}</li>
      ))}
    </Kind>
  )
}

function MarkdownTable({ table, linkTo }: { readonly table: Tokens.Table; readonly linkTo: LinkTo }) {
  return (
    <ScrollBox
      className="table-wrap"
      label={`Table: ${table.header.map(({ text }) => text).join(", ")}, ${table.rows[0]?.[0]?.text ?? ""}`}
    >
      <table>
        <thead>
          <tr>
            {table.header.map((cell, nth) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
              <th key={nth} scope="col" className={cell.align === "right" ? "end" : undefined}>
                {inline(cell.tokens, linkTo)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, nth) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
            <tr key={nth}>
              {row.map((cell, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
                <td key={at} className={cell.align === "right" ? "end" : undefined}>
                  {inline(cell.tokens, linkTo)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  )
}

function MarkdownLink({
  href,
  linkTo,
  children,
}: {
  readonly href: string
  readonly linkTo: LinkTo
  readonly children: ReactNode
}) {
  if (/^(https?|mailto):/i.test(href))
    return (
      <a href={href} target="_blank" rel="noreferrer">
        {children}
      </a>
    )
  if (href.startsWith("#")) return <a href={href}>{children}</a>
  if (/^[a-z][a-z0-9+.-]*:/i.test(href) || href.startsWith("//")) return <>{children}</>
  return <Link to={linkTo(href)}>{children}</Link>
}

/** Entities that marked has put in place of characters are no matter for React, which escapes by itself. */
function plain(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
}

function isComment(token: Token): boolean {
  return token.type === "html" && /^<!--[\s\S]*-->\s*$/.test(token.raw)
}

function idOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, "")
    .trim()
    .replace(/\s+/g, "-")
}

const HEADINGS = ["h2", "h2", "h3", "h4"] as const
