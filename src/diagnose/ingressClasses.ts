/** Which Ingresses a controller takes: by their class. */

import type { Ingress } from '../cluster/objects.ts'
import { controllerArgument } from './controller.ts'
import type { Current } from './current.ts'
import { type Fact, field } from './fact.ts'
import type { Scene } from './scene.ts'

export const LEGACY_CLASS = 'kubernetes.io/ingress.class'
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class'
const CONTROLLER = 'k8s.io/ingress-nginx'
const NAME = 'nginx'

export interface ControllerClasses {
  /** Names that `spec.ingressClassName` may have. */
  names: ReadonlySet<string>
  /** It takes Ingresses without a class too. */
  takesUnclassed: boolean
  /** Where that stands: IngressClasses, else nothing. */
  facts: Fact[]
}

/** What a controller's classes are told by. */
export type ClassScene = Pick<Scene, 'controller' | 'all'>

/** By the IngressClasses of its controller name; where none is known, by the usual name. */
export function controllerClasses(scene: ClassScene): ControllerClasses {
  const [pod] = scene.controller.pods
  const argument = (name: string): string | null => (pod && controllerArgument(pod, name)?.value) ?? null
  const own = argument('controller-class') ?? CONTROLLER
  const name = argument('ingress-class') ?? NAME
  const known = scene.all('IngressClass', null)
  const classes = known.filter(({ object }) => object.spec?.controller === own)
  const names = new Set(classes.map(({ history }) => history.name))
  if (known.length === 0) names.add(name)
  const withoutClass = argument('watch-ingress-without-class')
  const isDefault = classes.some(({ object }) => annotationOf(object.metadata.annotations, DEFAULT_CLASS) === 'true')
  return {
    names,
    takesUnclassed: isDefault || (withoutClass !== null && withoutClass !== 'false'),
    facts: classes.map(({ history, object }) =>
      field(history, 'spec.controller', object.spec?.controller, `class ${history.name} is the controller's`)
    )
  }
}

/** `spec.ingressClassName`, else the annotation of before; null: neither. */
export function classOf({ object }: Current<Ingress>): string | null {
  return object.spec?.ingressClassName ?? annotationOf(object.metadata.annotations, LEGACY_CLASS)
}

export function isTaken(ingress: Current<Ingress>, { names, takesUnclassed }: ControllerClasses): boolean {
  const name = classOf(ingress)
  return name === null ? takesUnclassed : names.has(name)
}

/** What says which class an Ingress is of: both places, where both are empty. */
export function classFacts(ingress: Current<Ingress>): Fact[] {
  const { history, object } = ingress
  const { ingressClassName } = object.spec ?? {}
  const legacy = annotationOf(object.metadata.annotations, LEGACY_CLASS)
  const text = ingressClassName === undefined ? 'it names no class' : `it is of class ${ingressClassName}`
  const fact = field(history, 'spec.ingressClassName', ingressClassName, text)
  if (legacy === null) return [fact]
  return [fact, field(history, `metadata.annotations[${LEGACY_CLASS}]`, legacy, `its annotation says class ${legacy}`)]
}

export function annotationOf(annotations: Record<string, string> | undefined, name: string): string | null {
  return annotations !== undefined && Object.hasOwn(annotations, name) ? annotations[name]! : null
}
