/**
 * What is known of a cluster over time: every version of every object, and who held which address when. Pure: events go in,
 * questions are answered, no clock.
 */

import type { ClusterEvent } from './event.ts'
import type { Kind, ObjectOf, Pod } from './objects.ts'

/** An object as it stood from `atMs` on. */
export interface Version<O> {
  /** When it was seen, Unix ms. */
  atMs: number
  /**
   * False: the first thing seen of the object, in a list or after a gap; it may have been so for longer. True: a watch saw
   * it become so.
   */
  isObserved: boolean
  object: O
}

/** All that was seen of one object, from its creation to its end: one uid. */
export interface History<O = ObjectOf[Kind]> {
  kind: Kind
  /** '' for cluster kinds. */
  namespace: string
  name: string
  /** Made up of kind, namespace and name where the object has none. */
  uid: string
  /** Oldest first; at least one. */
  versions: readonly Version<O>[]
  /** `creationTimestamp`, Unix ms; null: not told. */
  createdMs: number | null
  /** When it was gone; null: it is still there. */
  deletedMs: number | null
  /** `deletedMs` is when it was missed, after a gap or in a later snapshot; it went after the last version, and before this. */
  isDeletionApproximate: boolean
}

/** Who held an address, and from when to when. */
export interface Tenure {
  pod: History<Pod>
  /** Canonical text, no brackets. */
  address: string
  fromMs: number
  /** null: it holds it still. */
  toMs: number | null
  /** Bounds that a watch saw; others are API times in whole seconds, or when something was missed. */
  isFromObserved: boolean
  isToObserved: boolean
  /** It shares the address of its node with others. */
  hostNetwork: boolean
}

/** From when to when an EndpointSlice of a Service named an address. */
export interface SliceEntry {
  namespace: string
  service: string
  /** Name of the EndpointSlice. */
  slice: string
  address: string
  fromMs: number
  /** null: it does still. */
  toMs: number | null
  /** `ready` true or unset: the controller takes it. */
  ready: boolean
  /** A watch saw it come; else it may have been named before, when the pod was there. */
  isFromObserved: boolean
  /** uid of the pod; null: an address without `targetRef`. */
  uid: string | null
}

export interface ClusterState {
  /** Rises with every event that changes what is known. */
  readonly revision: number
  apply(event: ClusterEvent): void
  /** Everything before it is known: time of the last heartbeat, list or object; -Infinity: nothing is. */
  readonly knownToMs: number
  /** Older moments are judged by object times alone: begin of the first list; Infinity: nothing is known. */
  readonly knownFromMs: number
  /** Closed histories older than this were dropped: of earlier moments nothing can be said; -Infinity: none was. */
  readonly forgottenToMs: number
  /** False: nobody could read the kind in that namespace ('' asks for cluster kinds): nothing of it may be called absent. */
  isObservable(kind: Kind, namespace: string): boolean
  /** Why a kind was not observable, in the words of the API; null: it is, or was never asked for. */
  unreadableBecause(kind: Kind): string | null
  /** Nothing of the kind was seen at that moment: what happened then may be missing. */
  isInGap(kind: Kind, atMs: number): boolean
  /** All times in which nothing of the kind was seen, ends included, in no order. */
  gaps(kind: Kind): readonly Gap[]
  /** All of that name, oldest first: a StatefulSet's pods come back under the same name. */
  named<K extends Kind>(kind: K, namespace: string, name: string): readonly History<ObjectOf[K]>[]
  byUid<K extends Kind>(kind: K, uid: string): History<ObjectOf[K]> | null
  /** All of a kind in a namespace; null: in all. By namespace and name. */
  all<K extends Kind>(kind: K, namespace: string | null): Iterable<History<ObjectOf[K]>>
  /** Pods of a namespace that ever had all these labels; never walks through pods with none of them. */
  podsWithLabels(namespace: string, labels: Readonly<Record<string, string>>): readonly History<Pod>[]
  /** Histories whose controller owner is this uid: pods of a ReplicaSet, ReplicaSets of a Deployment. */
  ownedBy(uid: string): readonly History[]
  /** Events about an object, by its uid, and those that name it without one. By last time. */
  eventsOf(history: History): readonly History<ObjectOf['Event']>[]
  /** Events about something that was never seen itself, as a pod that lived between two snapshots. */
  eventsNamed(kind: string, namespace: string, name: string): readonly History<ObjectOf['Event']>[]
  /** Events of a namespace with an URL in their text whose host is the address, in any spelling: what a probe asked. */
  eventsTelling(namespace: string, address: string): readonly History<ObjectOf['Event']>[]
  /** By `fromMs`. `address` in any spelling. */
  tenures(address: string): readonly Tenure[]
  /** By `fromMs`; of all Services. `address` in any spelling. */
  sliceEntries(address: string): readonly SliceEntry[]
  /** Slices labelled with the name of the Service. */
  slicesOf(namespace: string, service: string): readonly History<ObjectOf['EndpointSlice']>[]
  /** Services (`namespace/name/port`) that an upstream name of ingress-nginx can stand for, from Ingresses and Services. */
  upstream(name: string): readonly UpstreamName[]
  /** A Service by one of its cluster addresses. */
  servicesAt(clusterIp: string): readonly History<ObjectOf['Service']>[]
}

/** Unix ms; an end of Infinity: it lasts. */
export interface Gap {
  startMs: number
  endMs: number
}

/** `namespace-service-port`, taken apart by what exists. */
export interface UpstreamName {
  namespace: string
  service: string
  /** As the Ingress writes it: a number or a name. */
  port: string
}

export interface ClusterStateOptions {
  /** How long closed histories and tenures are kept behind the newest event, ms. */
  keepMs: number
  /** Closed tenures; the one closed first goes first. */
  closedMax: number
}

export const STATE_DEFAULTS: ClusterStateOptions = { keepMs: 24 * 3_600_000, closedMax: 200_000 }
