import { expect, test } from 'vitest'
import { keptArguments } from '../../src/cluster/keptArguments.ts'
import { keptSetting, keptValue } from '../../src/cluster/keptValue.ts'

test.each([
  // name                 value                                             kept
  ['PORT', '8080', '8080'],
  ['KEEP_ALIVE_TIMEOUT', '5000', '5000'],
  ['KEEP_ALIVE', '75s', '75s'],
  ['DB_HOST', 'db', 'db'],
  ['DB_HOST', 'db.shop.svc.cluster.local:5432', 'db.shop.svc.cluster.local:5432'],
  ['BIND', '127.0.0.1:8000', '127.0.0.1:8000'],
  ['LISTEN', ':8080', ':8080'],
  ['LISTEN', '[::1]:8080', '[::1]:8080'],
  ['LISTEN', '::', '::'],
  ['BROKERS', 'kafka-0.kafka:9092,kafka-1.kafka:9092', 'kafka-0.kafka:9092,kafka-1.kafka:9092'],
  ['DATABASE_URL', 'postgres://user:pw@db:5432/x', 'postgres://db:5432/x'],
  ['DATABASE_URL', 'jdbc:postgresql://db:5432/shop?user=a&password=b', 'jdbc:postgresql://db:5432/shop'],
  ['AUTH_URL', 'http://auth.idp:8080/check', 'http://auth.idp:8080'],
  ['AUTH_HOST', 'auth.idp:8080', 'auth.idp:8080'],
  ['TOKEN_SERVICE_PORT', '8080', '8080'],
  ['HOST_TOKEN', 'abc', undefined],
  ['PGHOST', 'db', 'db'],
  ['REDIS_ADDR', 'cache', 'cache'],
  ['DB_HOST_2', 'db', 'db'],
  ['SEEDS', 'a,b', undefined],
  ['SEEDS', 'a:1,b:2', 'a:1,b:2'],
  ['SEEDS', 'a:1,b', undefined],
  ['ROOT', 'localhost', 'localhost'],
  ['BYPASS', '5', '5'],
  ['KEEPALIVE', '75', '75'],
  ['REDIS', 'redis://:p%40ss@cache:6379/0', 'redis://cache:6379/0'],
  ['REDIS', 'redis://cache/0/abc', 'redis://cache'],
  ['MONGO', 'mongodb://u:p@a:27017,b:27017/shop', 'mongodb://a:27017,b:27017/shop'],
  ['HOOK', 'https://hooks.example.com/services/T00000001/Bx/abc', 'https://hooks.example.com'],
  ['HOOK', 'https://hooks.example.com/hook/abcdefghijklmnop', 'https://hooks.example.com'],
  // What may be a secret, or says nothing to us.
  ['DATABASE_URL', 'postgres://user:p/w@db:5432/x', undefined],
  ['DATABASE_URL', 'postgres://user:12/3@db/x', undefined],
  ['DATABASE_URL', 'postgres://user:12?3@db/x', undefined],
  ['DB_PASSWORD', 'hunter', undefined],
  ['DB_PASSWORD', '123456', undefined],
  ...[
    'DBPASS',
    'PGPASS',
    'DB_PASS1',
    'ROOTPW',
    'AUTHKEY',
    'MASTERKEY',
    'CREDS',
    'APP_CREDS',
    'DB_PWD2',
    'KEY1'
  ].flatMap((name): [string, string, undefined][] => [
    [name, 'hunter2', undefined],
    [name, 'hunter.2', undefined],
    [name, '123456', undefined]
  ]),
  ['ADMIN', 'hunter2', undefined],
  ['LOGIN', 'hunter', undefined],
  ['API_KEY', 'abc', undefined],
  ['apiKey', 'abc', undefined],
  ['STRIPE', 'sk-live-51h7d8e9f0a1b2c3', undefined],
  ['SESSION', '550e8400-e29b-41d4-a716-446655440000', undefined],
  ['SALTED', 'aGVsbG8gd29ybGQ=', undefined],
  ['NAME', 'Two words', undefined],
  ['DEBUG', 'true', undefined],
  ['EMPTY', '', undefined],
  ['LONG', 'a'.repeat(10_000_000), undefined]
])('of %s=%.60s is kept %s', (name, value, want) => {
  expect(keptValue(name, value)).toBe(want)
})

test.each([
  [
    ['--timeout-keep-alive', '5', '--bind', '127.0.0.1:8000'],
    ['--timeout-keep-alive', '5', '--bind', '127.0.0.1:8000']
  ],
  [
    ['--password=x', '--token', 'abc', 'serve'],
    ['--password=***', '--token', '***', 'serve']
  ],
  [
    ['/usr/bin/gunicorn', 'app:app', '-b', '0.0.0.0:8000', '--keep-alive=2'],
    ['/usr/bin/gunicorn', '***', '-b', '0.0.0.0:8000', '--keep-alive=2']
  ],
  [
    ['sh', '-c', 'PASSWORD="a b.c" exec gunicorn --bind \'127.0.0.1:8000\' --secret my pass.word --workers 4'],
    ['sh', '-c', 'PASSWORD=*** *** exec gunicorn --bind 127.0.0.1:8000 --secret *** *** --workers 4']
  ],
  [
    ['sh', '-c', 'sleep 15 && kill 1'],
    ['sh', '-c', 'sleep 15 && *** 1']
  ],
  [
    ['mysql', '-u', 'root', '-p', 'hunter', '-phunter'],
    ['***', '-u', '***', '-p', '***', '***']
  ],
  [
    ['--dbpass=hunter2', '--requirepass', 'hunter2', '--masterauth', 'hunter2', '--creds', 'hunter', '--login=hunter2'],
    ['--dbpass=***', '--requirepass', '***', '--masterauth', '***', '--creds', '***', '--login=***']
  ],
  [
    ['--db-host', 'db', '--upstream=cart', '-h', 'db', '--host', '0.0.0.0'],
    ['--db-host', 'db', '--upstream=cart', '-h', 'db', '--host', '0.0.0.0']
  ],
  [
    ['--upstream=payments.shop:80', '--ingress-class=nginx', '--configmap=$(POD_NAMESPACE)/ingress-nginx-controller'],
    ['--upstream=payments.shop:80', '--ingress-class=nginx', '--configmap=$(POD_NAMESPACE)/ingress-nginx-controller']
  ],
  [
    ['postgres://u:p@db/x', 'db:5432', 'db', null, 7, ''],
    ['postgres://db/x', 'db:5432', '***', '***', '***', '***']
  ]
])('arguments keep their places: %j', (given, want) => {
  expect(keptArguments(given)).toEqual(want)
})

test('settings lose userinfo, queries and the values in snippets', () => {
  const url = 'https://u:p@auth.example.com/check?token=1'
  expect(keptSetting('nginx.ingress.kubernetes.io/auth-url', url)).toBe('https://auth.example.com/check?***')
  const snippet =
    'more_set_headers "X-Key: hunter2";\nif ($x) { return 403; }\nproxy_set_header Authorization "Basic eA==";'
  expect(keptSetting('nginx.ingress.kubernetes.io/configuration-snippet', snippet)).toBe(
    'more_set_headers; if; return; proxy_set_header'
  )
  expect(keptSetting('upstream-keepalive-timeout', '60')).toBe('60')
  expect(keptSetting('log-format-upstream', 'x'.repeat(5_000))).toHaveLength(1_000)
})
