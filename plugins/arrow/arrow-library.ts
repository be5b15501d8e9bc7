/** The library, loaded when first needed: a run that never meets Arrow does not carry it. */
export type Arrow = typeof import("apache-arrow")

export function loadArrow(): Promise<Arrow> {
  return import("apache-arrow")
}
