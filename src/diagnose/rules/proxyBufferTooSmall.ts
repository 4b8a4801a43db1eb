import { type Fact, field } from '../fact.ts'
import type { Rule } from '../rule.ts'
import { ANNOTATION_PREFIX } from '../scene.ts'

const NAME = 'proxy-buffer-size'

/** The headers of the answer do not fit into the buffer for them. */
export const proxyBufferTooSmall: Rule = {
  cause: 'proxy_buffer_too_small',
  judge(scene) {
    if (scene.symptom !== 'header_too_big') return null
    const { ingress } = scene
    const { fact, from } = scene.setting(NAME)
    const needs: Fact[] = fact === null ? [] : [fact]
    if (from === 'configMap' && ingress !== null) {
      const path = `metadata.annotations[${ANNOTATION_PREFIX}${NAME}]`
      needs.push(field(ingress.history, path, null, `the Ingress does not set ${NAME}`))
    }
    return {
      tier: 'A',
      ref: ingress === null ? 'Ingress' : `Ingress ${ingress.history.namespace}/${ingress.history.name}`,
      atMs: null,
      needs,
      isUnobserved: needs.length === 0
    }
  }
}
