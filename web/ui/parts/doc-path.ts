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
