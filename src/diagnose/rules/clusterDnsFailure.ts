import { DNS_NAMESPACE, DNS_SERVICE, dnsOf, saysNoAnswer, saysNoSuchName } from '../dns.ts'
import { nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'

/** The DNS of the cluster did not serve; the cause of its own pods stands in the chain. */
export const clusterDnsFailure: Rule = {
  cause: 'cluster_dns_failure',
  explains: ['external_name_unresolvable'],
  judge(scene, ask) {
    const { symptom, input, service } = scene
    // Pod addresses need no name: without endpoints, DNS matters to a Service that is a name alone.
    if (symptom === 'no_endpoints' && service?.object.spec?.type !== 'ExternalName') return null
    const dns = dnsOf(scene)
    if (dns === null || (dns.out.length === 0 && !dns.isDown)) return null
    const { error } = input.detail
    if (!dns.isDown && (symptom === 'upstream_error' || !saysNoAnswer(error) || saysNoSuchName(error)))
      return { because: `${dns.pods.length - dns.out.length} of ${dns.pods.length} pods of the cluster DNS were Ready` }
    const nested = ask(scene.beside(DNS_NAMESPACE, DNS_SERVICE, dns.pods))
    const [first] = dns.out
    return {
      tier: 'A',
      ref:
        nested?.finding.ref ??
        (first === undefined ? `Service ${DNS_NAMESPACE}/${DNS_SERVICE}` : nameOf(first.history)),
      atMs: nested?.finding.atMs ?? first?.ready.sinceMs ?? null,
      needs: [...dns.facts, ...(nested?.finding.needs ?? [])],
      isInferred: first?.ready.isInferred === true && nested === null,
      chain: nested === null ? [] : [nested.cause]
    }
  }
}
