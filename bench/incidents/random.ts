/** A seeded generator (sfc32): the same name gives the same incident on every machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(name: string) {
    // FNV-1a over the name, three times with different starts.
    const hash = (start: number): number => {
      let value = start >>> 0
      for (const character of name) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193) >>> 0
      return value
    }
    this.#a = hash(0x811c9dc5)
    this.#b = hash(0x9e3779b9)
    this.#c = hash(0x85ebca6b)
    for (let round = 0; round < 16; round++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** Both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!
  }

  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let rest = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, value] of choices) {
      rest -= weight
      if (rest < 0) return value
    }
    return choices.at(-1)![1]
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  /** Latencies: most near the median, a long tail to the right. */
  logNormal(median: number, spread: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return median * Math.exp(spread * radius * Math.cos(2 * Math.PI * this.next()))
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += this.integer(0, 15).toString(16)
    return text
  }

  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-${this.pick(['8', '9', 'a', 'b'])}${this.hex(3)}-${this.hex(12)}`
  }
}
