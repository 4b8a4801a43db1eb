/** The application's own answers: nginx passes them on and has nothing to say about them. */
import { at, type Fault, fails, get, head, type Lab, post, quiet } from './fault.ts'
import { fallbackUpstream } from './nginxConfig.ts'

export function applicationAnswers(lab: Lab): Fault[] {
  const port = (name: 'application' | 'one_answer') => lab.upstreams.ports.get(name)!
  const application = 'proxy_pass http://up_application;'
  return [
    ...[500, 501, 502, 503, 504].map(status => at(`app_${status}`, fails('upstream_error', status, null), application)),
    at('app_502_post', fails('upstream_error', 502, null), application, post),
    at('app_502_empty', fails('upstream_error', 502, null), application),
    at('app_503_head', fails('upstream_error', 503, null), application, head),
    {
      kind: 'app_masked',
      ...fails('upstream_error', 200, null),
      http: [fallbackUpstream('up_app_masked', `127.0.1.1:${port('application')}`, `127.0.1.2:${port('one_answer')}`)],
      location:
        'rewrite ^ /f/app_503_masked/1 break; proxy_next_upstream error timeout http_503; proxy_pass http://up_app_masked;',
      act: get
    },
    ...[400, 401, 403, 404, 408, 413, 429, 499].map(status => at(`app_${status}`, quiet(status), application))
  ]
}
