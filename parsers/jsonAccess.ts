import { type AccessFields, accessRecord, noFields } from './access.ts'
import { readJsonPairs } from './jsonText.ts'
import type { AccessRecord, ParseError } from './record.ts'
import { parseTimeText } from './time.ts'

type TextField = { [K in keyof AccessFields]: AccessFields[K] extends string | null ? K : never }[keyof AccessFields]

/**
 * Keys people give the variables, in lower case without `.`, `_`, `-`; nested keys are joined. No standard exists: the list
 * is what the ConfigMap documentation, ECS-like formats, Cloud Logging's `httpRequest` and public repositories show.
 * The first key of a field that is there and not empty wins.
 */
const KEYS: Record<TextField | 'status' | 'time', string[]> = {
  time: [
    'time',
    'timestamp',
    '@timestamp',
    'timeiso8601',
    'timelocal',
    'ts',
    'msec',
    'date',
    'datetime',
    'requesttimestamp',
    'nginxtime',
    'localtime'
  ],
  client: [
    'remoteaddr',
    'clientip',
    'sourceip',
    'remoteip',
    'httprequestremoteip',
    'client',
    'clientaddr',
    'clientaddress',
    'sourceaddress',
    'therealip',
    'realip',
    'ip',
    'requestremoteaddr',
    'proxyprotocoladdr',
    'xforwardedfor'
  ],
  remoteUser: ['remoteuser', 'user', 'username'],
  request: ['request', 'requestline', 'httprequest', 'requestrequest'],
  method: ['requestmethod', 'method', 'httprequestmethod', 'httpmethod', 'verb', 'httprequestrequestmethod'],
  uri: [
    'requesturi',
    'urloriginal',
    'uri',
    'path',
    'requestpath',
    'urlpath',
    'httprequestrequesturi',
    'url',
    'requesturl'
  ],
  args: ['args', 'requestquery', 'querystring', 'urlquery', 'query'],
  protocol: ['serverprotocol', 'requestproto', 'protocol', 'httprequestprotocol', 'requestprotocol', 'proto'],
  host: ['host', 'httphost', 'vhost', 'requesthost', 'urldomain', 'hostname', 'httprequesthost', 'servername'],
  status: [
    'status',
    'statuscode',
    'httpresponsestatuscode',
    'responsestatus',
    'httprequeststatus',
    'responsestatuscode',
    'code',
    'responsecode',
    'httpstatus'
  ],
  bodyBytes: [
    'bodybytessent',
    'httpresponsebodybytes',
    'responsebodybytes',
    'responsesizesent',
    'bytessent',
    'bytes',
    'responsebytes',
    'httpresponsebytes',
    'size'
  ],
  referrer: [
    'httpreferer',
    'httpreferrer',
    'referer',
    'referrer',
    'httprequestreferrer',
    'requestreferer',
    'httprequestreferer'
  ],
  userAgent: ['httpuseragent', 'useragentoriginal', 'useragent', 'agent', 'requestuseragent', 'httprequestuseragent'],
  requestLength: ['requestlength', 'httprequestbytes', 'requestsize', 'httprequestrequestsize', 'requestbytes'],
  requestTime: [
    'requesttime',
    'duration',
    'eventduration',
    'httprequestlatency',
    'latency',
    'requestduration',
    'responsetime'
  ],
  upstreamName: ['proxyupstreamname', 'upstreamname', 'upstreamproxyname'],
  alternativeName: ['proxyalternativeupstreamname', 'alternativeupstreamname', 'upstreamalternativename'],
  addresses: [
    'upstreamaddr',
    'upstreamaddress',
    'httprequestupstreamaddr',
    'responseupstreamaddr',
    'upstreamhost',
    'upstream'
  ],
  statuses: ['upstreamstatus', 'upstreamstatuscode', 'httprequestupstreamstatus', 'responseupstreamstatus'],
  times: [
    'upstreamresponsetime',
    'upstreamtime',
    'httprequestupstreamresponsetime',
    'responseupstreamresponsetime',
    'responseupstreamtime',
    'upstreamduration'
  ],
  lengths: [
    'upstreamresponselength',
    'upstreambytes',
    'upstreamlength',
    'httprequestresponsesize',
    'httprequestupstreamresponselength',
    'responseupstreamresponselength'
  ],
  connectTimes: ['upstreamconnecttime'],
  headerTimes: ['upstreamheadertime'],
  requestId: ['reqid', 'requestid', 'xrequestid', 'httprequestid', 'httprequestrequestid', 'id'],
  connection: ['connection', 'connectionid'],
  namespace: ['namespace', 'kubernetesnamespace'],
  ingress: ['ingressname', 'ingress'],
  service: ['servicename', 'service'],
  traceId: ['traceid', 'opentelemetrytraceid', 'trace']
}

/** A JSON access line by its key names → record; null when it is JSON of another kind; an error with the column when it is neither. */
export function parseJsonAccess(text: string): AccessRecord | ParseError | null {
  const { values, brokenAt } = readJsonPairs(text)
  const pick = (field: keyof typeof KEYS): string | null => {
    let seen: string | null = null
    for (const key of KEYS[field]) {
      const value = values.get(key)
      if (value !== undefined && value !== '' && value !== '-') return value
      seen ??= value ?? null
    }
    return seen
  }
  const status = pick('status')
  const isAccess =
    status !== null &&
    /^\d{3}$/.test(status) &&
    (pick('request') ?? pick('uri') ?? pick('addresses') ?? pick('client')) !== null
  if (!isAccess) return brokenAt === null ? null : { code: 'invalid_json', column: brokenAt }
  const fields = noFields()
  for (const field of Object.keys(KEYS) as (keyof typeof KEYS)[]) {
    if (field !== 'status' && field !== 'time') fields[field] = pick(field)
  }
  // `msec` and the like: the first spelling that is a time.
  for (const key of KEYS.time) fields.timeMs ??= parseTimeText(values.get(key) ?? '')
  fields.status = Number(status)
  // The Cloud Logging layout logs `$host$request_uri` without a scheme.
  const url = values.get('httprequestrequesturl')
  if (url) {
    const slash = url.indexOf('/')
    fields.host ??= slash < 0 ? url : url.slice(0, slash)
    fields.uri ??= slash < 0 ? '/' : url.slice(slash)
  }
  // `request` is an id or an address in some formats; only a request line has a blank.
  if (fields.request !== null && !fields.request.includes(' ')) fields.request = null
  fields.truncated = brokenAt !== null
  return accessRecord(fields)
}
