import { setPriority } from "node:os"

/**
 * Lets this process go before others of the machine, where it may: whoever asks the server must not wait for the copies
 * that go on beside it. What it starts has to take it back, as children have what their parent has.
 */
export function goBefore(): void {
  trySet(BEFORE_OTHERS)
}

export function goWithOthers(): void {
  trySet(0)
}

function trySet(priority: number): void {
  try {
    setPriority(priority)
  } catch {
    // Only root may, or whom the service manager lets: the setting `Nice` of systemd.
  }
}

const BEFORE_OTHERS = -10
