import { dayMs, secondMs, type Wall, wallOf } from "./calendar.ts"

/** A time zone: turns instants (milliseconds since 1970-01-01 00:00 UTC) into wall clocks and back. */
export interface Zone {
  readonly name: string
  wallAt(instant: number): Wall
  /**
   * The instant at which clocks show this. A time that the spring gap leaves out moves forward by the gap (02:30 is
   * 03:30); a time that autumn repeats is the first of the two.
   */
  instantAt(wall: Wall): number
}

/** The zone with this IANA name, or undefined when there is none. */
export function zoneNamed(name: string): Zone | undefined {
  const clock = clockOf(name)
  if (clock === undefined) return undefined
  const wallAt = (instant: number): Wall => clock(instant)
  return { name, wallAt, instantAt: (wall) => instantAt(wall, wallAt) }
}

function instantAt(wall: Wall, wallAt: Zone["wallAt"]): number {
  // No zone is ever more than a day off UTC, so these two offsets are the ones before and after any change near `wall`.
  const before = wallAt(wall - dayMs) - (wall - dayMs)
  const after = wallAt(wall + dayMs) - (wall + dayMs)
  const earlier = Math.min(wall - before, wall - after)
  const later = Math.max(wall - before, wall - after)
  if (wallAt(earlier) === wall) return earlier
  if (wallAt(later) === wall) return later
  return wall - before
}

function clockOf(name: string): ((instant: number) => Wall) | undefined {
  const known = clocks.get(name)
  if (known !== undefined) return known
  const format = formatOf(name)
  if (format === undefined) return undefined
  const clock = (instant: number): Wall => {
    const millisecond = ((instant % secondMs) + secondMs) % secondMs
    const parts: Record<string, string> = {}
    for (const part of format.formatToParts(instant - millisecond)) parts[part.type] = part.value
    const year = Number(parts.year)
    return wallOf({
      year: parts.era?.startsWith("B") === true ? 1 - year : year,
      month: Number(parts.month),
      day: Number(parts.day),
      hour: Number(parts.hour),
      minute: Number(parts.minute),
      second: Number(parts.second),
      millisecond,
    })
  }
  clocks.set(name, clock)
  return clock
}

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    })
  } catch {
    return undefined
  }
}

// A formatter costs far more to make than to use. Names come from settings, so there are few of them.
const clocks = new Map<string, (instant: number) => Wall>()
