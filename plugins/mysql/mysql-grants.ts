/** Those of `wanted` that the lines of SHOW GRANTS do not give for a table. */
export function missingPrivileges(
  grants: readonly string[],
  table: { readonly schema: string; readonly name: string },
  wanted: readonly string[],
): readonly string[] {
  const given = new Set<string>()
  const revoked = new Set<string>()
  for (const line of grants) {
    const [, verb, list, schema, name] = GRANT.exec(line) ?? []
    if (list === undefined || schema === undefined || name === undefined) continue
    if (!covers(schema, table.schema) || (name !== "*" && bare(name) !== table.name)) continue
    // MySQL 8 can take back for one database what was given for all.
    const into = verb === "REVOKE" ? revoked : given
    for (const privilege of list.replace(/\s*\([^)]*\)/g, "(").split(",")) into.add(privilege.trim().toUpperCase())
  }
  return wanted.filter((privilege) => {
    if (revoked.has(privilege)) return true
    return !given.has(privilege) && !given.has("ALL PRIVILEGES") && !given.has("ALL")
  })
}

/** The name of a database is a LIKE pattern in a grant. */
function covers(pattern: string, schema: string): boolean {
  if (pattern === "*") return true
  const parts = bare(pattern).match(/\\.|[\s\S]/g) ?? []
  const regex = parts.map((part) => {
    if (part === "%") return "[\\s\\S]*"
    return part === "_" ? "[\\s\\S]" : part.replace(/^\\(?=[%_\\])/, "").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
  })
  return new RegExp(`^${regex.join("")}$`, "u").test(schema)
}

function bare(name: string): string {
  return name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name
}

const GRANT = /^(GRANT|REVOKE) (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`|\w+)\.(\*|`(?:[^`]|``)*`|\w+) (?:TO|FROM) /s
