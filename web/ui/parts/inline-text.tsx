/** A sentence in which `code` stands in backticks, as descriptions of options have it. */
export function InlineText({ text }: { readonly text: string }) {
  return text.split(/(`[^`]+`)/).map((part, nth) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence never change places
    part.startsWith("`") && part.length > 2 ? <code key={nth}>{part.slice(1, -1)}</code> : part,
  )
}
