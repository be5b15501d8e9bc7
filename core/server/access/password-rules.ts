/**
 * What is wrong with a new password, as NIST SP 800-63B has it: length counts, composition does not, and what is guessed
 * first is refused. Undefined where nothing is.
 */
export function passwordFault(password: string, names: readonly string[]): string | undefined {
  const letters = [...plain(password)]
  if (letters.length < LEAST) return `A password has at least ${LEAST} characters, this one has ${letters.length}`
  if (letters.length > MOST) return `A password has at most ${MOST} characters, this one has ${letters.length}`
  const text = plain(password).toLowerCase()
  if (new Set(letters).size < 5) return "This password has too few different characters"
  if (isRow(letters)) return "This password is only a row of neighbours, such as abcdef"
  const rest = [...names, "headrace"]
    .filter((name) => name.length > 2)
    .reduce((left, name) => left.replaceAll(name.toLowerCase(), ""), text)
  if ([...rest].length < LEAST / 2) return "This password is little more than a name that belongs to it"
  const bare = text.replace(/[^\p{L}]+/gu, "")
  if (COMMON.has(text) || COMMON.has(text.replace(/[\d\W_]+$/u, "")) || isRepeated(text) || COMMON.has(bare))
    return "This password is one of those that are tried first"
  return undefined
}

/** The one spelling of what may be typed in several (NIST SP 800-63B, 5.1.1.2). */
export function plain(password: string): string {
  return password.normalize("NFKC")
}

function isRow(letters: readonly string[]): boolean {
  const steps = new Set(letters.slice(1).map((letter, at) => letter.codePointAt(0)! - letters[at]!.codePointAt(0)!))
  return steps.size === 1
}

/** Such as passwordpassword, or abcabcabcabc. */
function isRepeated(text: string): boolean {
  return (text + text).indexOf(text, 1) < text.length
}

const LEAST = 12
const MOST = 256

/** Longer ones that stand high in lists of leaked passwords; shorter ones are refused by their length. */
const COMMON: ReadonlySet<string> = new Set(
  `password passwort passw0rd p@ssw0rd passwords mypassword newpassword yourpassword thisismypassword passwordpassword
  changeme changeit letmein letmeinplease welcome welcomehome administrator adminadmin adminpassword superadmin
  rootroot rootpassword testtest testpassword defaultpassword secretpassword supersecret topsecret iloveyou
  iloveyouforever iloveyousomuch qwertyuiop qwertyuiopasdf qwertyqwerty qwertyuiopasdfghjklzxcvbnm asdfghjkl asdfghjklzxcvbnm
  zxcvbnm 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i qazwsxedcrfv qazwsxedc zaq12wsxcde3
  qwerty123456 q1w2e3r4t5y6 123456789abc abc123456789 123456789012 1234567890123 12345678910 1234567890qwertyuiop
  abcdefghijkl abcdefghijklm trustno1 correcthorsebatterystaple opensesame footballfootball princess sunshine dragon
  monkey superman batman starwars liverpoolfc manchesterunited chelsea barcelona realmadrid jordan michael jennifer
  iamthebest imthebest unbelievable fuckyou motherfucker computer internet database postgres postgresql mysql mariadb`.split(
    /\s+/,
  ),
)
