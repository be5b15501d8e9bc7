/**
 * What is wrong with a parameter, a template or a value.
 *
 * | reason | means |
 * |---|---|
 * | declaration | a declaration is malformed, or two clash |
 * | template | `${…}` or `$[…]` cannot be read |
 * | missing | a parameter has no value |
 * | unknown | a value is given for a parameter that does not exist |
 * | cycle | parameters refer to each other, or one to itself |
 * | value | a value is not of its parameter's type, too long, or does not fit where it stands |
 * | date | the business date, the scheduled time or the time zone cannot be read |
 * | unsafe | a template stands where no value can be put into SQL safely |
 */
export interface ParameterProblem {
  readonly reason: "declaration" | "template" | "missing" | "unknown" | "cycle" | "value" | "date" | "unsafe"
  readonly message: string
  /** What would fix it, in one imperative sentence. */
  readonly hint?: string
  /** JSON pointer into the flow document: where the text stands that is to blame. */
  readonly pointer?: string
  /** The parameter's name, where the problem belongs to one. */
  readonly parameter?: string
}

/** A result, or everything that is wrong. Test `problems` first: when it is undefined, the result is there. */
export type Outcome<A extends object> = (A & { readonly problems?: undefined }) | Refused
export interface Refused {
  readonly problems: readonly ParameterProblem[]
}

/** Why a piece of text cannot be read; whoever knows where it stands makes a {@link ParameterProblem} of it. */
export interface Fault {
  readonly fault: string
  readonly hint?: string
}

export function isFault(value: object): value is Fault {
  return "fault" in value
}

/** A problem made from a fault: what was attempted, then why it failed. */
export function problemOf(
  action: string,
  fault: Fault,
  place: Pick<ParameterProblem, "reason" | "pointer" | "parameter">,
): ParameterProblem {
  return { ...place, message: `${action}: ${fault.fault}`, ...(fault.hint === undefined ? {} : { hint: fault.hint }) }
}

/** A JSON pointer's next step. */
export function pointerTo(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`
}
