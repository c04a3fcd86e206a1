// SPDX-License-Identifier: Apache-2.0
// www/cardwright.js on a window of its own: node has no document, but it has
// EventTarget, MessageEvent and timers. The browsers are in tests/browser.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';

const ORIGIN = 'https://issuer.example';
const top = new URL('../../', import.meta.url);
const read = (path) => fs.readFileSync(new URL(path, top), 'utf8');

// ---- a window with one extension in it ----

const bus = new EventTarget();
let extension = null; // {onPing, on…}: called with the request and `answer`
let requests = [];

globalThis.crypto ??= webcrypto; // node 18 has it in its modules alone
globalThis.window = globalThis;
globalThis.location = new URL(ORIGIN + '/enroll');
globalThis.addEventListener = (...a) => bus.addEventListener(...a);
globalThis.removeEventListener = (...a) => bus.removeEventListener(...a);
function deliver(data, source = window, origin = ORIGIN) {
	const event = new MessageEvent('message', { data, origin });
	Object.defineProperty(event, 'source', { value: source });
	bus.dispatchEvent(event);
}
globalThis.postMessage = (data, origin) => {
	assert.equal(origin, ORIGIN);
	const copy = structuredClone(data);
	queueMicrotask(() => {
		deliver(copy);
		requests.push(copy);
		extension?.[copy.type]?.(copy, (type, more = {}) =>
			deliver({ ...more, cardwright: 1, from: 'extension',
				id: copy.id, type }));
	});
};
const module = 'data:text/javascript,' +
	encodeURIComponent(read('www/cardwright.js'));
const { CardwrightError, cancel, codes, provision, status } =
	await import(module);

const ping = (_, answer) => answer('pong', { version: '1.2.3' });
function install(more) {
	requests = [];
	extension = more === null ? null : { ping, ...more };
}
function fails(promise, code) {
	return assert.rejects(promise, (e) => {
		assert.ok(e instanceof CardwrightError && e instanceof Error);
		assert.equal(e.name, 'CardwrightError');
		assert.equal(e.code, code);
		assert.match(e.message, /[.]$/);
		assert.match(e.remedy, /[.]$/);
		return true;
	});
}

// ---- status ----

test('without an extension the status says so within about a second', async () => {
	install(null);
	const begin = performance.now();
	const s = await status();
	assert.deepEqual(s, { extension: false, version: null, agent: null,
		pcscd: null, readers: [], problem: 'EXTENSION_MISSING' });
	assert.ok(performance.now() - begin < 3000);
});

const agent = { version: '0.1.0', capabilities: ['enroll'] };
for (const [what, answer, problem] of [
	['no agent', { agent: null, problem: 'AGENT_MISSING' }, 'AGENT_MISSING'],
	['no agent and no reason', { agent: null }, 'AGENT_MISSING'],
	['an agent that may not be started', { agent: null,
		problem: 'AGENT_FORBIDDEN' }, 'AGENT_FORBIDDEN'],
	['a problem that nobody knows', { agent, problem: 'NEW' }, 'INTERNAL'],
	['no smart card service', { agent, pcscd: false, readers: [] },
		'PCSCD_OFF'],
	['no reader', { agent, pcscd: true, readers: [] }, 'NO_READER'],
	['no list of readers', { agent, pcscd: true, readers: 7 }, 'NO_READER'],
	['empty readers', { agent, pcscd: true, readers: [{ card: 'none' },
		{ card: 'none' }] }, 'NO_CARD'],
	['a foreign card', { agent, pcscd: true, readers: [{ card: 'none' },
		{ card: 'unknown' }] }, 'WRONG_CARD'],
	['a card that another program uses', { agent, pcscd: true,
		readers: [{ card: 'in-use' }] }, 'CARD_IN_USE'],
	['a card of ours among others', { agent, pcscd: true,
		readers: [{ card: 'unknown' }, { card: 'cardwright' }] }, null],
])
	test(`the status names the first thing in the way: ${what}`, async () => {
		install({ status: (_, reply) => reply('status', answer) });
		const s = await status();
		assert.equal(s.extension, true);
		assert.equal(s.version, '1.2.3');
		assert.equal(s.problem, problem);
	});

test('an extension that refuses the status is named with its reason', async () => {
	install({ status: (_, reply) =>
		reply('error', { code: 'ORIGIN_REFUSED', number: 713 }) });
	assert.equal((await status()).problem, 'ORIGIN_REFUSED');
});

// ---- provision ----

test('a run reports its progress and ends with the certificates', async () => {
	const seen = [];
	install({ provision(request, reply) {
		assert.equal(request.intent, ORIGIN + '/intent');
		reply('progress', { phase: 'keys', state: 'begin' });
		reply('progress', { wait: 'pin' });
		reply('result', { certificates: [{ slot: '9A' }] });
		reply('progress', { phase: 'late' });
	} });
	const result = await provision('/intent',
		{ onProgress: (p) => seen.push(p.phase ?? p.wait) });
	assert.deepEqual(result, { certificates: [{ slot: '9A' }] });
	assert.deepEqual(seen, ['keys', 'pin']);
});

test('an error of the extension becomes a typed error with its words', async () => {
	install({ provision: (_, reply) => reply('error', { code: 'CARD_REMOVED',
		number: 506, message: 'Die Karte …', remedy: 'Stecken Sie …' }) });
	const e = await provision('/intent').catch((x) => x);
	assert.ok(e instanceof CardwrightError);
	assert.deepEqual([e.code, e.number, e.message, e.remedy],
		['CARD_REMOVED', 506, 'Die Karte …', 'Stecken Sie …']);
});

test('an error without words has the usual ones, an unknown code is INTERNAL', async () => {
	install({ provision: (_, reply) => reply('error', { code: 'NO_CARD',
		number: 'x', message: 7 }) });
	let e = await provision('/intent').catch((x) => x);
	assert.equal(e.number, null);
	assert.equal(e.message, 'There is no card in the reader.');
	install({ provision: (_, reply) => reply('error', { code: 'toString' }) });
	e = await provision('/intent').catch((x) => x);
	assert.equal(e.code, 'INTERNAL');
});

test('without an extension a run fails as EXTENSION_MISSING', async () => {
	install(null);
	await fails(provision('/intent'), 'EXTENSION_MISSING');
	assert.ok(requests.every((r) => r.type === 'ping'));
});

test('an intent of another site is refused before anybody is asked', async () => {
	install({});
	await fails(provision('https://other.example/intent'), 'ORIGIN_REFUSED');
	await fails(provision('https://'), 'ORIGIN_REFUSED');
	await fails(provision('data:,x'), 'ORIGIN_REFUSED');
	assert.deepEqual(requests, []);
});

test('of two runs at once the second is BUSY, and cancel ends the first', async () => {
	let end;
	install({
		provision: (_, reply) => { end = reply; },
		cancel: () => end('error', { code: 'CANCELLED', number: 531 }),
	});
	const first = provision('/intent');
	await fails(provision('/intent'), 'BUSY');
	while (end === undefined)
		await new Promise(setImmediate);
	cancel();
	await fails(first, 'CANCELLED');
	requests = [];
	cancel();
	await new Promise(setImmediate);
	assert.deepEqual(requests, []); // nothing runs, nothing is said
});

test('answers of others are not heard', async () => {
	install({ provision(request, reply) {
		const forged = { cardwright: 1, from: 'extension', id: request.id,
			type: 'result', certificates: ['forged'] };
		deliver(forged, {});                             // a frame
		deliver(forged, window, 'https://other.example');
		deliver({ ...forged, cardwright: 2 });
		deliver({ ...forged, from: undefined });         // the page itself
		deliver({ ...forged, id: 'other' });
		deliver(null);
		deliver('text');
		reply('result', { certificates: ['own'] });
	} });
	assert.deepEqual((await provision('/intent')).certificates, ['own']);
});

// ---- one table of codes ----

const rows = [...read('docs/page-api.md').matchAll(
	/^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];

test('docs/page-api.md documents exactly the codes of cardwright.js', () => {
	assert.deepEqual(rows.map((r) => r[1]).sort(), [...codes].sort());
	for (const [, code, ...cells] of rows)
		for (const cell of cells)
			assert.ok(cell.trim().length > 3, code);
});

test('the catalogue has the words of every code, and the same in English', () => {
	const en = JSON.parse(read('messages/en.json'));
	for (const code of codes) {
		const e = new CardwrightError(code);
		assert.equal(en['problem_' + code]?.message, e.message, code);
		assert.equal(en['remedy_' + code]?.message, e.remedy, code);
		assert.ok(rows.some((r) => r[1] === code &&
			r[4].trim() === e.remedy), `docs: remedy of ${code}`);
	}
	assert.deepEqual(Object.keys(en).filter((k) => /^problem_/.test(k))
		.map((k) => k.slice(8)).sort(), [...codes].sort());
});

test('the page has the words of every code', () => {
	const found = [...read('www/texts.html').matchAll(
		/data-problem="(\w+)".*\{\{t:problem_\1\}\}.*\{\{t:remedy_\1\}\}/g)];
	assert.deepEqual(found.map((m) => m[1]).sort(), [...codes].sort());
});
