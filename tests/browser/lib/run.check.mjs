// SPDX-License-Identifier: Apache-2.0
// agent/extension/run.js between a page and an agent that are not there: two runs
// of one page share its port.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

globalThis.crypto ??= webcrypto; // an older node
globalThis.navigator ??= { languages: [] };
const started = [];
const listeners = { addListener() {} };
globalThis.chrome = {
	i18n: { getMessage: () => '', getUILanguage: () => 'en' },
	runtime: {
		getURL: (name) => name,
		getManifest: () => ({ version: '0' }),
		connectNative() {
			const port = { onMessage: listeners, onDisconnect: listeners,
				postMessage() {}, disconnect() {} };
			started.push(port);
			return port;
		},
	},
	windows: {
		get: async () => ({ left: 0, top: 0, width: 800, height: 600 }),
		create: async () => ({ id: 1 }),
		remove: async () => {},
	},
};
const { Run } = await import(
	pathToFileURL(path.resolve(process.argv[2], 'run.js')));

const asked = [];
const page = { postMessage: (m) => m.type === 'fetch' && asked.push(m) };
const who = { url: new URL('https://issuer.example'), tab: { windowId: 1 } };
const begin = async () => {
	const run = new Run(page, who, () => {});
	run.start('https://issuer.example/intent');
	await new Promise(setImmediate);
	return run;
};
const answer = async (run, n) => {
	run.fromPage({ type: 'fetched', n, status: 200, body: 'oQ' });
	await new Promise(setImmediate);
};

const first = await begin();
first.fromPage({ type: 'cancel' });
const second = await begin();
assert.equal(asked.length, 2);
await answer(second, asked[0].n);
assert.equal(started.length, 0, "another run's answer is none");
await answer(second, asked[1].n);
assert.equal(started.length, 1);
second.pageGone();

const third = new Run(page, who, () => {});
const opening = third.start('https://issuer.example/intent');
third.pageGone();
await opening;
assert.equal(asked.length, 2, 'who has left is asked for nothing');
process.exit(0); // whatever timers are left
