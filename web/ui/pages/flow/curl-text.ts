/** A request that starts a flow, ready for a shell. */
export function curlText(origin: string, flow: string, token: string, signingSecret: string | null): string {
  const url = `${origin}/api/v1/flows/${encodeURIComponent(flow)}/runs?wait=30s`
  const head = (body: string) => [
    "curl -sS -X POST \\",
    `  -H 'authorization: Bearer ${token}' \\`,
    "  -H 'content-type: application/json' \\",
    ...(signingSecret === null ? [] : [`  -H "x-headrace-signature: t=$now,v1=$signature" \\`]),
    `  -d ${body} \\`,
    `  ${quote(url)}`,
  ]
  if (signingSecret === null) return head("'{}'").join("\n")
  return [
    "body='{}'; now=$(date +%s)",
    `signature=$(printf '%s.%s' "$now" "$body" | openssl dgst -sha256 -hmac ${quote(signingSecret)} | sed 's/^.* //')`,
    ...head('"$body"'),
  ].join("\n")
}

/** For a shell: nothing in it is anything but text. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
