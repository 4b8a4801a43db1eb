/** Autoscalers, metrics and claims for the cases that have them. */

import { metadata } from './objectMaker.ts'
import type { AnyObject, PodObject, WorkloadObject } from './objectTypes.ts'

export interface ScalerCondition {
  type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited'
  status: 'True' | 'False'
  reason: string
  message?: string
  /** RFC 3339. */
  since: string
}

/** An autoscaler of a workload that stands at `current` pods. */
export function autoscaler(
  of: WorkloadObject,
  range: { min: number; max: number; current: number; cpuPercent: number },
  conditions: ScalerCondition[],
  createdAt: string
): AnyObject {
  const { namespace = '', name } = of.metadata
  const resource = (target: object) => [{ type: 'Resource', resource: { name: 'cpu', ...target } }]
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata('HorizontalPodAutoscaler', namespace, name, createdAt),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: of.kind, name },
      minReplicas: range.min,
      maxReplicas: range.max,
      metrics: resource({ target: { type: 'Utilization', averageUtilization: 70 } })
    },
    status: {
      currentReplicas: range.current,
      desiredReplicas: range.current,
      currentMetrics: resource({ current: { averageUtilization: range.cpuPercent } }),
      conditions: conditions.map(({ since, ...condition }) => ({ ...condition, lastTransitionTime: since }))
    }
  } as AnyObject
}

/** What the metrics server measured of a pod's containers, CPU by name. */
export function podMetrics(of: PodObject, cpu: Record<string, string>, measuredAt: string): AnyObject {
  const { namespace = '', name } = of.metadata
  return {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: { name, namespace, creationTimestamp: measuredAt },
    timestamp: measuredAt,
    window: '15s',
    containers: Object.entries(cpu).map(([container, usage]) => ({
      name: container,
      usage: { cpu: usage, memory: '140Mi' }
    }))
  } as AnyObject
}

export function claim(
  namespace: string,
  name: string,
  phase: 'Pending' | 'Bound' | 'Lost',
  createdAt: string
): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata('PersistentVolumeClaim', namespace, name, createdAt),
    spec: { storageClassName: 'fast-ssd', accessModes: ['ReadWriteOnce'] },
    status: { phase }
  } as AnyObject
}
