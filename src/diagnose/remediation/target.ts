/** What a remedy is made for: the diagnosis with its citations, and the objects as they were seen last, where a state is at hand. */

import type { Container, Kind, ObjectOf, Workload } from '../../cluster/objects.ts'
import type { ClusterState } from '../../cluster/state.ts'
import { listOf } from '../conditions.ts'
import type { Diagnosis } from '../diagnosis.ts'
import { objectAt, runbookOf } from '../runbook.ts'
import { Told, utcClock } from '../told.ts'
import type { Named, TemplateContainer } from './kubectl.ts'
import { manual, type Remediation } from './remedy.ts'

/** Workloads whose template makes the pods. */
const ROLLED = new Set(['Deployment', 'StatefulSet', 'DaemonSet'])

export class Target {
  readonly diagnosis: Diagnosis
  readonly told: Told
  /** null: only the diagnosis is known. */
  readonly state: ClusterState | null

  constructor(diagnosis: Diagnosis, state: ClusterState | null) {
    this.diagnosis = diagnosis
    this.state = state
    this.told = new Told(diagnosis, utcClock)
  }

  /** The object at fault. */
  get object(): Named | null {
    return objectAt(this.diagnosis.ref)
  }

  /** What makes the pods of the Service, where a change of its template reaches them. */
  get workload(): Named | null {
    const { namespace, workload } = this.diagnosis.names
    if (namespace === null || workload === null || !ROLLED.has(workload.kind)) return null
    return { kind: workload.kind, namespace, name: workload.name }
  }

  get service(): Named | null {
    return this.#named('Service', this.diagnosis.names.service)
  }

  get ingress(): Named | null {
    return this.object?.kind === 'Ingress' ? this.object : this.#named('Ingress', this.diagnosis.names.ingress)
  }

  get pod(): Named | null {
    return this.object?.kind === 'Pod' ? this.object : this.#named('Pod', this.diagnosis.names.pod)
  }

  #named(kind: string, name: string | null): Named | null {
    const { namespace } = this.diagnosis.names
    return namespace === null || name === null ? null : { kind, namespace, name }
  }

  /** As it was seen last; null: no state is at hand, it was never seen, or it is gone. */
  seen<K extends Kind>(kind: K, { namespace, name }: { namespace: string; name: string }): ObjectOf[K] | null {
    const last = this.state?.named(kind, namespace, name).at(-1)
    return last === undefined || last.deletedMs !== null ? null : last.versions.at(-1)!.object
  }

  seenWorkload(workload: Named): Workload | null {
    return this.seen(workload.kind as 'Deployment', workload)
  }

  /** Container of the template of a workload. */
  seenContainer(workload: Named, name: string): Container | null {
    const spec = this.seenWorkload(workload)?.spec?.template?.spec
    return (
      [...listOf(spec?.containers), ...listOf(spec?.initContainers)].find(container => container.name === name) ?? null
    )
  }

  /** Of an annotation of ingress-nginx: as cited, else as seen; undefined: it is not known, null: it is not set. */
  annotation(name: string): string | null | undefined {
    const key = `nginx.ingress.kubernetes.io/${name}`
    const cited = this.told.cited('metadata.annotations', { key })
    if (cited !== null) return cited.value
    const ingress = this.ingress === null ? null : this.seen('Ingress', this.ingress)
    if (ingress === null) return undefined
    const { annotations } = ingress.metadata
    return annotations !== undefined && Object.hasOwn(annotations, key) ? annotations[key]! : null
  }

  /** The container that the citations are about, and which list of the template it stands in. */
  get container(): TemplateContainer | null {
    const cited = this.told.citations.find(
      ({ fields, keys }) =>
        keys.length > 0 && /^(?:status\.(?:c|initC)ontainerStatuses|spec\.(?:c|initC)ontainers)\b/.test(fields)
    )
    const name = cited?.keys[0] ?? this.diagnosis.names.container
    if (name === null || name === undefined) return null
    return { name, list: cited?.fields.includes('initContainer') ? 'initContainers' : 'containers' }
  }

  /** The runbook, where no patch can be proposed. */
  manual(note: string): Remediation {
    return manual(runbookOf(this.diagnosis), note)
  }

  /** Shows first what a patch would need to know. */
  unknown(note: string, ...commands: string[]): Remediation {
    return manual([...commands, ...runbookOf(this.diagnosis)], note)
  }
}
