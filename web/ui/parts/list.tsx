import { useEffect, useRef, useState } from "react"
import { Button } from "./button.tsx"
import { Icon } from "./icon.tsx"

/** Filters a list while somebody types. */
export function Search({
  label,
  value,
  change,
}: {
  readonly label: string
  readonly value: string
  change(value: string): void
}) {
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const latest = useRef(value)
  useEffect(() => {
    if (value !== latest.current) setText(value)
    latest.current = value
  }, [value])
  const type = (next: string) => {
    setText(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      latest.current = next
      change(next)
    }, 250)
  }
  return (
    <div className="search">
      <Icon name="search" />
      <input
        type="search"
        className="input"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => type(event.target.value)}
      />
    </div>
  )
}

interface PagedList {
  readonly hasNextPage: boolean
  readonly isFetchingNextPage: boolean
  fetchNextPage(): unknown
}

/** The next page, when its button comes into sight or is pressed. */
export function More({ list }: { readonly list: PagedList }) {
  const place = useRef<HTMLDivElement>(null)
  const latest = useRef(list)
  latest.current = list
  useEffect(() => {
    const element = place.current
    if (!element || !list.hasNextPage) return
    const watch = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting && !latest.current.isFetchingNextPage) latest.current.fetchNextPage()
    })
    watch.observe(element)
    return () => watch.disconnect()
  }, [list.hasNextPage])
  if (!list.hasNextPage) return null
  return (
    <div ref={place} className="table-more">
      <Button busy={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
        Show more
      </Button>
    </div>
  )
}
