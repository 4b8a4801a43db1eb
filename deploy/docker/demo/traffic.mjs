/** What is asked for: of a hundred requests one of every fault, and the rest of a Service that works. */
export const FAULTS = ['/web/broken', '/cart', '/search', '/catalog', '/pay', '/stock', '/reviews']
const ROUND = 100

/** Of the request with this number. Faults come at even distances: a hundred requests hold each of them once, whatever the rate is. */
export function pathOf(number) {
  const distance = Math.floor(ROUND / FAULTS.length)
  const place = number % ROUND
  const fault = place % distance === 0 ? FAULTS[place / distance] : undefined
  return `${fault ?? '/web'}/${number}`
}
