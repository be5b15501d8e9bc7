/** Colours, or none. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

export function makeStyle(isColoured: boolean): Style {
  const paint = (start: number, end: number) => (text: string) =>
    isColoured && text !== "" ? `\u001b[${start}m${text}\u001b[${end}m` : text
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  }
}

/** https://no-color.org and https://force-color.org */
export function wantsColour(
  environment: Readonly<Record<string, string | undefined>>,
  stream: { readonly isTTY?: boolean },
): boolean {
  if (isSet(environment.NO_COLOR)) return false
  if (isSet(environment.FORCE_COLOR)) return environment.FORCE_COLOR !== "0"
  return stream.isTTY === true && environment.TERM !== "dumb"
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== ""
}
