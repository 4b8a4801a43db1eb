import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ControllerSearch, findControllers, USUAL_SELECTORS } from '../../src/cluster/controllers.ts'
import { controllerPod } from '../kubectl/controllerPod.ts'
import { listOf, ScriptedApi, sendJson } from './scriptedApi.ts'

let api: ScriptedApi

beforeEach(async () => {
  api = await ScriptedApi.start()
})
afterEach(() => api.stop())

const ANY: ControllerSearch = { selector: null, namespace: null, container: null }
const find = (search: Partial<ControllerSearch> = {}) => findControllers(api.connection, { ...ANY, ...search })

/** Pods by the selector that finds them. */
function serve(pods: Record<string, object[]>) {
  api.answer = ({ path, parameters, response }) =>
    path.endsWith('/pods') ? sendJson(response, listOf(pods[parameters.get('labelSelector')!] ?? [])) : false
}

const forbidden = { kind: 'Status', status: 'Failure', message: 'pods is forbidden', code: 403 }

describe('which labels', () => {
  test('those of today end the search', async () => {
    serve({
      [USUAL_SELECTORS[0]]: [controllerPod('b'), controllerPod('a')],
      [USUAL_SELECTORS[2]]: [controllerPod('old')]
    })
    expect((await find()).map(({ pod }) => pod)).toEqual(['a', 'b'])
    expect(api.asked).toHaveLength(1)
  })

  test('older ones are tried after them', async () => {
    serve({ [USUAL_SELECTORS[2]]: [controllerPod('old', { container: 'nginx-ingress-controller' })] })
    expect(await find()).toMatchObject([{ pod: 'old', container: 'nginx-ingress-controller' }])
  })

  test('a job that makes certificates has the labels and is no controller', async () => {
    const job = controllerPod('admission-create', { container: 'create' })
    serve({ [USUAL_SELECTORS[0]]: [], [USUAL_SELECTORS[1]]: [job], [USUAL_SELECTORS[2]]: [controllerPod('old')] })
    expect(await find()).toMatchObject([{ pod: 'old' }])
  })

  test('a selector of one’s own is the only one that is asked for', async () => {
    serve({ 'app=edge': [controllerPod('edge', { container: 'nginx' })] })
    expect(await find({ selector: 'app=edge', container: 'nginx' })).toMatchObject([
      { pod: 'edge', container: 'nginx' }
    ])
    await expect(find({ selector: 'app=edge' })).rejects.toThrow(
      /1 pods? with the labels "app=edge" in any namespace .* no container controller or nginx-ingress-controller: name it with --container/
    )
  })
})

describe('what is read of a pod', () => {
  test('its ConfigMap, as the program is told', async () => {
    serve({
      [USUAL_SELECTORS[0]]: [
        controllerPod('a', { args: ['--configmap=$(POD_NAMESPACE)/edge'] }),
        controllerPod('b', { args: ['--v=2', '--configmap=other/settings'] }),
        controllerPod('c')
      ]
    })
    expect((await find()).map(({ configMap }) => `${configMap.namespace}/${configMap.name}`)).toEqual([
      'ingress-nginx/edge',
      'other/settings',
      'ingress-nginx/ingress-nginx-controller'
    ])
  })

  test('when its process began, and the one before it ended', async () => {
    const at = (time: string) => `2026-11-21T${time}Z`
    const ended = { startedAt: at('09:00:00'), finishedAt: at('10:00:00') }
    serve({ [USUAL_SELECTORS[0]]: [controllerPod('a', { started: at('10:00:02'), ended, restarts: 3 })] })
    expect(await find()).toMatchObject([
      {
        startedMs: Date.parse(at('10:00:02')),
        restarts: 3,
        before: { startedMs: Date.parse(at('09:00:00')), finishedMs: Date.parse(at('10:00:00')) }
      }
    ])
  })

  test('hostile pods are passed over', async () => {
    const odd = [null, 7, {}, { metadata: { name: 7 } }, { metadata: { name: 'x' }, spec: { containers: 'all' } }]
    serve({ [USUAL_SELECTORS[0]]: [...(odd as object[]), controllerPod('a', { args: [7, null] as never })] })
    expect(await find()).toMatchObject([{ pod: 'a' }])
  })
})

describe('without the right', () => {
  test('to look everywhere, the usual namespace is looked at', async () => {
    api.answer = ({ path, response }) =>
      path === '/api/v1/pods'
        ? sendJson(response, forbidden, 403)
        : sendJson(response, listOf(path.includes('/ingress-nginx/') ? [controllerPod('a')] : []))
    expect(await find()).toMatchObject([{ pod: 'a' }])
  })

  test('to look anywhere, the rule and the flag are named', async () => {
    api.answer = ({ response }) => sendJson(response, forbidden, 403)
    await expect(find()).rejects.toThrow(
      /pods is forbidden\. The pods of the controller cannot be found: a ClusterRole with \{apiGroups: \[""\], resources: \[pods\], verbs: \[list\]\} allows it \(kubectl auth can-i list pods --all-namespaces tells\); where you may, name the namespace with --controller-namespace/
    )
    await expect(find({ namespace: 'edge' })).rejects.toThrow(/a Role in edge with .* can-i list pods -n edge tells\)$/)
  })
})

test('none: what was looked for, and where', async () => {
  await expect(find({ namespace: 'edge' })).rejects.toThrow(
    /context scripted: no controller of ingress-nginx: no pod in namespace edge has the labels "app\.kubernetes\.io\/name=ingress-nginx,app\.kubernetes\.io\/component=controller", .*name its own labels with --selector/
  )
})
