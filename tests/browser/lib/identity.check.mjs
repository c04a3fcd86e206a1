// SPDX-License-Identifier: Apache-2.0
// agent/extension/identity.js against senders as browsers make them.
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { identify, isAllowed, matches, secureOrigin } = await import(
	pathToFileURL(path.resolve(process.argv[2], 'identity.js')));

for (const origin of ['https://issuer.example', 'https://issuer.example:8443',
	'http://localhost:80801'.slice(0, -1), 'http://127.0.0.1:1', 'http://[::1]:9',
	'https://xn--mnchen-3ya.example'])
	assert.equal(secureOrigin(origin)?.origin, origin);
for (const origin of ['null', '', undefined, null, 7, 'http://issuer.example',
	'https://issuer.example/', 'https://Issuer.example', 'https://a@b.example',
	'https://issuer.example:443', 'ftp://localhost', 'file://', 'about:blank',
	'http://localhost.example', 'http://127.0.0.1.example', 'http://10.0.0.1',
	'chrome-extension://edceamngaogbiecbdhocffodbdaieojc',
	'https://münchen.example', 'https://' + 'a'.repeat(300) + '.example'])
	assert.equal(secureOrigin(origin), null, String(origin));

const sender = { id: 'own', frameId: 0, tab: { id: 3, windowId: 1 },
	origin: 'https://issuer.example', documentLifecycle: 'active',
	url: 'https://elsewhere.example/' };
assert.equal(identify(sender, 'own').url.origin, 'https://issuer.example');
assert.ok(identify({ ...sender, documentLifecycle: undefined }, 'own'));
for (const other of [{ id: 'other' }, { frameId: 1 }, { frameId: undefined },
	{ tab: undefined }, { tab: { id: -1 } }, { origin: 'null' },
	{ origin: undefined }, { documentLifecycle: 'prerender' },
	{ documentLifecycle: 'cached' }, { origin: 'http://issuer.example' }])
	assert.equal(identify({ ...sender, ...other }, 'own'), null,
		JSON.stringify(other));
assert.equal(identify(undefined, 'own'), null);

const fits = [
	['https://issuer.example', 'https://issuer.example', true],
	['https://issuer.example:443', 'https://issuer.example', true],
	['https://issuer.example', 'https://issuer.example:8443', false],
	['https://issuer.example:8443', 'https://issuer.example:8443', true],
	['https://*.example', 'https://issuer.example', true],
	['https://*.issuer.example', 'https://issuer.example', false],
	['https://*.issuer.example', 'https://evilissuer.example', false],
	['https://*.issuer.example', 'https://a.b.issuer.example', true],
	['http://issuer.example', 'https://issuer.example', false],
	['https://*', 'https://issuer.example', false],
	['https://iss*', 'https://issuer.example', false],
	['', 'https://issuer.example', false],
	['http://localhost:8080', 'http://localhost:8080', true],
];
for (const [pattern, origin, want] of fits)
	assert.equal(matches(pattern, new URL(origin)), want, pattern);
const url = new URL('https://issuer.example');
assert.ok(isAllowed(url, [], undefined));
assert.ok(isAllowed(url, ['https://issuer.example'], []));
assert.ok(!isAllowed(url, ['https://issuer.example'], ['https://b.example']));
assert.ok(!isAllowed(url, ['https://b.example']));
