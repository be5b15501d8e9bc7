/** What was made of texts, by the text. Forgets the oldest ones beyond so many of them, and so many characters together. */
export class TextCache<V> {
  readonly #kept = new Map<string, V>()
  readonly #most: { readonly texts: number; readonly characters: number }
  #characters = 0

  constructor(most: { readonly texts: number; readonly characters: number }) {
    this.#most = most
  }

  get(text: string): V | undefined {
    return this.#kept.get(text)
  }

  set(text: string, value: V): void {
    if (!this.#kept.has(text)) this.#characters += text.length
    this.#kept.set(text, value)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most.texts && this.#characters <= this.#most.characters) return
      this.#kept.delete(oldest)
      this.#characters -= oldest.length
    }
  }
}
