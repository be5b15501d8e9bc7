import { lexer, type Token, type Tokens } from "marked"
import { Fragment, type ReactNode } from "react"
import { Link } from "../route/router.tsx"
import { ScrollBox } from "./scroll-box.tsx"

/**
 * Markdown as elements. No HTML is made anywhere: what stands in the text as HTML is shown as the text that it is, and
 * only addresses of known kinds become links.
 */
export default function Markdown({
  text,
  folder = "",
  withoutTitle = false,
}: {
  readonly text: string
  /** Where relative links in the documentation start from. */
  readonly folder?: string
  /** The page shows it already. */
  readonly withoutTitle?: boolean
}) {
  const tokens = lexer(text).filter(
    (token) => !(withoutTitle && token.type === "heading" && token["depth"] === 1) && !isComment(token),
  )
  return <div className="markdown">{blocks(tokens, folder)}</div>
}

function blocks(tokens: readonly Token[], folder: string): ReactNode {
  return tokens.map((token, nth) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
    <Fragment key={nth}>{block(token as MarkedToken, folder)}</Fragment>
  ))
}

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

function block(token: MarkedToken, folder: string): ReactNode {
  switch (token.type) {
    case "heading": {
      const Heading = HEADINGS[Math.min(token.depth, 4) - 1] ?? "h4"
      return <Heading id={idOf(token.text)}>{inline(token.tokens, folder)}</Heading>
    }
    case "paragraph":
      return <p>{inline(token.tokens, folder)}</p>
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      )
    case "list":
      return <List list={token} folder={folder} />
    case "table":
      return <MarkdownTable table={token} folder={folder} />
    case "blockquote":
      return <blockquote>{blocks(token.tokens, folder)}</blockquote>
    case "hr":
      return <hr />
    case "space":
      return null
    case "text":
      return token.tokens ? inline(token.tokens, folder) : plain(token.text)
    default:
      return inline([token], folder)
  }
}

function inline(tokens: readonly Token[] | undefined, folder: string): ReactNode {
  return tokens?.map((token, nth) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
    <Fragment key={nth}>{inlinePart(token as MarkedToken, folder)}</Fragment>
  ))
}

function inlinePart(token: MarkedToken, folder: string): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens, folder)}</strong>
    case "em":
      return <em>{inline(token.tokens, folder)}</em>
    case "del":
      return <del>{inline(token.tokens, folder)}</del>
    case "codespan":
      return <code>{plain(token.text)}</code>
    case "br":
      return <br />
    case "link":
      return (
        <MarkdownLink href={token.href} folder={folder}>
          {inline(token.tokens, folder)}
        </MarkdownLink>
      )
    case "image":
      return token.text
    case "text":
      return token.tokens ? inline(token.tokens, folder) : plain(token.text)
    default:
      return "text" in token && token.type !== "html" ? plain(token.text) : token.raw
  }
}

function List({ list, folder }: { readonly list: Tokens.List; readonly folder: string }) {
  const Kind = list.ordered ? "ol" : "ul"
  return (
    <Kind {...(list.ordered && typeof list.start === "number" && { start: list.start })}>
      {list.items.map((item, nth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes places
        <li key={nth}>{blocks(item.tokens, folder)}</li>
      ))}
    </Kind>
  )
}

function MarkdownTable({ table, folder }: { readonly table: Tokens.Table; readonly folder: string }) {
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
                {inline(cell.tokens, folder)}
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
                  {inline(cell.tokens, folder)}
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
  folder,
  children,
}: {
  readonly href: string
  readonly folder: string
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
  return <Link to={docPath(href, folder)}>{children}</Link>
}

/** A relative link of the documentation as an address of these pages. */
export function docPath(href: string, folder: string): string {
  if (href.startsWith("/")) return href
  const [file = "", anchor] = href.split("#")
  const parts = `${folder}/${file}`.split("/").reduce<string[]>((path, part) => {
    if (part === "..") return path.slice(0, -1)
    return part === "" || part === "." ? path : [...path, part]
  }, [])
  const name = parts.join("/").replace(/\.md$/, "")
  const path = name === "README" || name === "" ? "/docs" : `/docs/${name}`
  return anchor === undefined ? path : `${path}#${anchor}`
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
