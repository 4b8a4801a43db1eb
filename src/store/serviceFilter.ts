/** A service by its upstream name as logged, or as `namespace/service` of any port. */
export function matchesService(services: readonly string[], row: { upstream: string; service: string }): boolean {
  if (services.length === 0) return true
  return services.some(
    wanted =>
      row.upstream === wanted ||
      row.service === wanted ||
      (wanted.includes('/') && row.upstream.slice(0, row.upstream.lastIndexOf('-')) === wanted.replace('/', '-'))
  )
}
