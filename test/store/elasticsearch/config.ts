import type { ElasticsearchConfig } from '../../../src/clusterOptions.ts'

/** `sink.elasticsearch` with one node and all defaults. */
export function configOf(url: string, more: Partial<ElasticsearchConfig> = {}): ElasticsearchConfig {
  return {
    nodes: [url],
    namespace: 'test',
    apiKey: null,
    apiKeyFile: null,
    username: null,
    password: null,
    passwordFile: null,
    caFile: null,
    retention: '30d',
    rollupRetention: '90d',
    lifecycle: 'ilm',
    ...more
  }
}
