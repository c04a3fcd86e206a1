// SPDX-License-Identifier: Apache-2.0
// Pages that want more than they may. They are at an origin of their own, on
// loopback, which is a secure one.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import fs from 'node:fs';
import { OWN_BUTTON } from '../lib/flow.mjs';
import { same } from '../lib/tap.mjs';
import { until } from '../lib/wait.mjs';

const LISTEN = `answers = [];
	addEventListener('message', (e) => {
		if (e.data?.from === 'extension' || e.data?.frame)
			answers.push(e.data);
	});
	ask = (id, more) => postMessage({ cardwright: 1, id, type: 'provision',
		intent: '/intent', ...more }, location.origin);`;
const PAGES = {
	'/': `<button id="go">Free prize</button><script>${LISTEN}
		go.onclick = () => eval(window.then ?? 'ask("go")');</script>`,
	'/unasked': `<script>${LISTEN} ask('unasked');</script>`,
	'/curious': `<button id="go">Free prize</button><script>${LISTEN}
		const look = (id) => postMessage({ cardwright: 1, id, type: 'status' },
			location.origin);
		look('early');
		go.onclick = () => look('late');</script>`,
	'/frame': `<script>
		addEventListener('message', (e) => {
			if (e.data?.from === 'extension')
				parent.postMessage({ frame: 1, ...e.data }, '*');
		});
		for (const type of ['ping', 'status', 'provision']) {
			postMessage({ cardwright: 1, id: 'f', type, intent: '/intent' }, '*');
		}
		parent.postMessage({ frame: 1, tried: true }, '*');</script>`,
	'/frames': `<script>${LISTEN}</script><iframe src="/frame"></iframe>
		<iframe sandbox="allow-scripts" src="/frame"></iframe>
		<iframe srcdoc='<script src="/frame.js"></scr` + `ipt>'></iframe>`,
	'/sandboxed': `<script>${LISTEN} ask('s');
		postMessage({ cardwright: 1, id: 'p', type: 'ping' }, '*');</script>`,
	'/steal': `<script>${LISTEN}</script>
		<iframe id="d" src="chrome-extension://edceamngaogbiecbdhocffodbdaieojc/dialog/dialog.html"></iframe>`,
};

export class Hostile {
	intent = Buffer.from('00', 'hex');
	asked = [];

	async start() {
		this.server = http.createServer((request, response) => {
			this.asked.push(request.url);
			if (request.url === '/sandboxed')
				response.setHeader('Content-Security-Policy',
					'sandbox allow-scripts');
			if (request.url === '/intent')
				response.setHeader('Content-Type',
					'application/cardwright+cbor');
			else
				response.setHeader('Content-Type', 'text/html');
			if (request.url === '/moved') {
				response.statusCode = 302;
				response.setHeader('Location', '/intent');
			}
			if (request.url === '/frame.js')
				return response.end(PAGES['/frame'].replace(/<\/?script>/g, ''));
			response.end(request.url === '/intent' ? this.intent :
				PAGES[request.url] ?? '');
		}).listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.url = `http://127.0.0.1:${this.server.address().port}`;
	}

	end() {
		this.server.closeAllConnections();
		this.server.close();
	}
}

async function visit(f, page) {
	const tab = await f.browser.tab();
	await tab.goto(f.hostile.url + page);
	return tab;
}

function answers(tab) {
	return tab.eval('return answers');
}

// Long enough for an answer that must not come: another question of the same
// page has been answered meanwhile.
async function settled(tab) {
	await tab.eval(`postMessage({ cardwright: 1, id: 'last', type: 'status' },
		location.origin)`);
	await until('the last question is answered', async () =>
		(await answers(tab)).some((a) => a.id === 'last'));
}

async function refusedWithoutDialog(f, tab, id, code) {
	await until('the page is answered', async () =>
		(await answers(tab)).some((a) => a.id === id));
	same((await answers(tab)).find((a) => a.id === id).code, code);
	await settled(tab);
	same(await f.browser.noDialog(), true, 'no dialog');
}

// The real issuer's Intent, with the cookie of an invitation.
function fetchIntent(world) {
	const ca = fs.readFileSync(world.root);
	const ask = (method, path, headers) => new Promise((resolve, reject) => {
		const request = https.request(world.url + path, { method, ca,
			headers: { Origin: world.url, ...headers } }, (response) => {
			const parts = [];
			response.on('data', (part) => parts.push(part));
			response.on('end', () => resolve({ headers: response.headers,
				body: Buffer.concat(parts) }));
		});
		request.on('error', reject);
		request.end();
	});
	return ask('POST', new URL(world.invite()).pathname, {})
		.then(({ headers }) => ask('GET', '/intent',
			{ Cookie: headers['set-cookie'][0].split(';')[0] }))
		.then(({ body }) => body);
}

export const cases = [
	['a page that asks without a click gets no dialog', async (f) => {
		const tab = await visit(f, '/unasked');
		await refusedWithoutDialog(f, tab, 'unasked', 'NEEDS_CLICK');
		await f.tidy(tab);
	}],

	['a site that is new learns nothing of agent and card', async (f) => {
		const tab = await visit(f, '/curious');
		const told = (id) => until(`${id} is answered`, async () =>
			(await answers(tab)).find((a) => a.id === id));
		const early = await told('early');
		same([early.extension, early.problem, early.agent, early.pcscd,
			early.readers, early.pin],
		[true, 'NEEDS_CLICK', null, null, [], null]);
		await tab.click('#go');
		const late = await told('late');
		same([late.problem, late.pcscd, late.readers.length], [null, true, 2]);
		await f.tidy(tab);
	}],

	['another site\'s Intent is not even fetched', async (f) => {
		const tab = await visit(f, '/');
		await tab.eval(`window.then = 'ask("go", { intent: "${f.world.url}` +
			'/intent" })\'');
		await tab.click('#go');
		await refusedWithoutDialog(f, tab, 'go', 'ORIGIN_REFUSED');
		await f.tidy(tab);
	}],

	['nor one that is reached by redirection', async (f) => {
		f.hostile.asked.length = 0;
		const tab = await visit(f, '/');
		await tab.eval('window.then = \'ask("go", { intent: "/moved" })\'');
		await tab.click('#go');
		const dialog = await f.dialog();
		await dialog.reaches('failed');
		same((await f.answer(tab)).code, 'ISSUER_ERROR');
		same(f.hostile.asked.includes('/intent'), false);
		await f.tidy(tab);
	}],

	['another issuer\'s session cannot be relayed', async (f) => {
		f.hostile.intent = await fetchIntent(f.world);
		const tab = await visit(f, '/');
		await tab.click('#go');
		const dialog = await f.dialog();
		await f.fails(tab, dialog, 'ISSUER_ERROR');
		same(await dialog.text('#failed-number'), 'Error 306');
		await dialog.shot('hostile-relay');
		await f.tidy(tab);
	}],

	['what is no Intent is not shown', async (f) => {
		f.hostile.intent = Buffer.alloc(70000, 0x81);
		const tab = await visit(f, '/');
		await tab.click('#go');
		const dialog = await f.dialog();
		await f.fails(tab, dialog, 'ISSUER_ERROR');
		await f.tidy(tab);
	}],

	['a flood of requests opens one dialog', async (f) => {
		const tab = await f.invited();
		await tab.eval(`
			const b = document.createElement('button');
			b.id = 'flood';
			b.textContent = 'Flood';
			b.onclick = () => {
				for (let i = 0; i < 300; i++)
					postMessage({ cardwright: 1, id: 'n' + i,
						type: 'provision', intent: '/intent' },
						location.origin);
			};
			document.body.prepend(b);`);
		await tab.click('#flood');
		const dialog = await f.dialog();
		await dialog.reaches('consent');
		await until('all others are answered', async () =>
			(await answers(tab)).filter((a) => a.code === 'BUSY').length === 299)
			.catch(async (e) => {
				const codes = {};
				for (const a of await answers(tab))
					codes[a.code ?? a.type] = (codes[a.code ?? a.type] ?? 0) + 1;
				throw new Error(e.message + ' ' + JSON.stringify(codes));
			});
		// (The page asks for the status now and then, with an agent of its own.)
		await until('one agent is left', () => f.world.agents().length === 1);
		await tab.eval(`postMessage({ cardwright: 1, id: 'c', type: 'cancel' },
			location.origin)`);
		await dialog.reaches('failed');
		await f.tidy(tab);
	}],

	['a second tab waits for the first', async (f) => {
		const first = await f.invited();
		const dialog = await f.ask(first);
		await dialog.reaches('consent');
		const second = await f.invited();
		await second.eval(`document.body.insertAdjacentHTML('afterbegin',
			'<button id=other>x</button>'); other.onclick = () => postMessage({
			cardwright: 1, id: 'o', type: 'provision', intent: '/intent' },
			location.origin)`);
		await second.click('#other');
		same((await f.answer(second)).code, 'BUSY');
		await first.close();
		await dialog.reaches('failed');
		await f.tidy(second);
	}],

	['navigating away in the middle ends the run', async (f) => {
		await f.world.cardOut(0);
		await f.world.cardIn(0);
		f.world.pin('gate');
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.agree();
		await dialog.says('#wait', /Enter the PIN/);
		await tab.goto(f.hostile.url + '/');
		await dialog.reaches('failed');
		await dialog.says('#failed-what', /page was closed/);
		await f.noAgent();
		f.world.pin('good');
		await f.tidy(tab);
	}],

	['frames may not ask, sandboxed or not', async (f) => {
		const tab = await visit(f, '/frames');
		await until('all three have tried', async () =>
			(await answers(tab)).filter((a) => a.tried).length === 3);
		await settled(tab);
		same((await answers(tab)).filter((a) => !a.tried && a.id !== 'last'),
			[]);
		same(await f.browser.noDialog(), true, 'no dialog');
		await f.tidy(tab);
	}],

	['nor may a page without an origin', async (f) => {
		const tab = await visit(f, '/sandboxed');
		const other = await visit(f, '/');
		await settled(other);
		same(await answers(tab), []);
		same(await f.browser.noDialog(), true, 'no dialog');
		await f.tidy(tab, other);
	}],

	['no page can show the dialog itself', async (f) => {
		if (f.kind !== 'Chromium')
			return; // Firefox gives the extension a new address each time
		const tab = await visit(f, '/steal');
		await settled(tab);
		const inside = tab.page.frames().filter((frame) =>
			frame.url().includes('dialog.html'));
		for (const frame of inside)
			same(await frame.locator('#accept').count().catch(() => 0), 0);
		await f.tidy(tab);
	}],

	['who is refused three times must wait', async (f) => {
		const tab = await f.invited();
		// (Other cases have refused before; and on a slow machine the first
		// refusal may be forgotten before the third.)
		const begin = Date.now();
		for (let refused = 0; ; refused++) {
			await tab.eval(OWN_BUTTON + 'answers.length = 0;');
			await tab.click('#own');
			const code = await until('a dialog or an answer', async () =>
				(await answers(tab))[0]?.code ??
				(await f.browser.noDialog() ? null : 'dialog'));
			if (code === 'ORIGIN_REFUSED')
				break;
			if (refused >= 3 && Date.now() - begin < 60000)
				throw new Error('asked for a fourth time');
			if (refused >= 20)
				throw new Error('asked again and again');
			const dialog = await f.dialog();
			await dialog.reaches('consent');
			// The window may be gone before the key is up.
			await dialog.tab.press('Escape').catch(() => {});
			await until('the window closes', () => f.browser.noDialog());
		}
		same(await f.browser.noDialog(), true, 'no dialog');
		await f.tidy(tab);
	}],
];
