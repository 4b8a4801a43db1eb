import { type PrintedRbac, RBAC_SCOPES, type RbacScope, rbacText } from '../check/rbac.ts'
import { Why5xxError } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import { writeOut } from './output.ts'

export interface RbacFlags {
  printRbac?: string | true
  /** `shop,pay`. */
  namespaces?: string
  /** `why5xx/why5xx-watch`. */
  account?: string
}

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** `check --cluster --print-rbac`: asks nobody, so it can be run before anything is allowed. */
export async function runPrintRbac(flags: RbacFlags, { kubernetes }: Config): Promise<number> {
  const scope = flags.printRbac === true ? 'full' : flags.printRbac
  if (!RBAC_SCOPES.includes(scope as RbacScope))
    throw new Why5xxError('WHY5XX_USAGE', `--print-rbac ${scope}: expected ${RBAC_SCOPES.join(' or ')}`)
  const namespaces = flags.namespaces === undefined ? kubernetes.namespaces : flags.namespaces.split(',')
  for (const name of namespaces) if (!DNS_LABEL.test(name)) throw wrongName('--namespaces', name, 'a namespace')
  await writeOut(
    rbacText({
      scope: scope as RbacScope,
      namespaces,
      account: accountOf(flags.account ?? 'why5xx/why5xx-watch'),
      controllerNamespace: kubernetes.controllerNamespace,
      tlsSecrets: kubernetes.tlsSecrets
    })
  )
  return 0
}

function accountOf(text: string): PrintedRbac['account'] {
  const [namespace, name, ...rest] = text.split('/')
  if (!DNS_LABEL.test(namespace ?? '') || !DNS_LABEL.test(name ?? '') || rest.length > 0)
    throw wrongName('--account', text, 'NAMESPACE/NAME of a service account')
  return { namespace: namespace!, name: name! }
}

function wrongName(flag: string, text: string, expected: string): Why5xxError {
  return new Why5xxError('WHY5XX_USAGE', `${flag} ${JSON.stringify(text)}: expected ${expected}`)
}
