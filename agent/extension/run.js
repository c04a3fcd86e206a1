// SPDX-License-Identifier: Apache-2.0
// One run: from a page's request to the outcome. It relays between the agent
// (native port), the page's content script (which does the HTTP) and the dialog
// window (which shows `view` as it is, and sends back what the person does).
import { codeOf, remedyKey } from './codes.js';
import { Host } from './host.js';

const PERSON_MS = 10 * 60 * 1000; // to answer the dialog
const WIDTH = 540;
const HEIGHT = 820;

const STEPS = ['prepare', 'keys', 'certificates', 'confirm'];
const STEP_OF = { // the agent's phases
	intent: 'prepare',
	capabilities: 'prepare',
	session: 'prepare',
	keys: 'keys',
	certificates: 'certificates',
	result: 'confirm',
};

// Of all runs: a page that begins another has one port for both, and what was
// fetched for the first may come during the second.
let fetches = 0;

function listOf(list) {
	return Array.isArray(list) ? list : [];
}

export class Run {
	#page; // the content script's port; null once it has gone
	#who; // { url, tab }
	#onEnd;
	#host = null;
	#dialog = null;
	#window = null;
	#nonce = crypto.randomUUID();
	#timer = null;
	#fetches = new Map();
	#over = false;
	#accepted = false;

	constructor(page, who, onEnd) {
		this.#page = page;
		this.#who = who;
		this.#onEnd = onEnd;
		this.view = {
			// asking, consent, unfinished, running, done, failed
			phase: 'asking',
			host: who.url.host,
			secure: who.url.protocol === 'https:',
			consent: null,
			readers: [],
			unfinished: '', // the reader whose card holds another session
			step: 'prepare',
			waiting: null,
			changes: [],
			failure: null,
		};
	}

	get isOver() {
		return this.#over;
	}

	get wasAccepted() {
		return this.#accepted;
	}

	get origin() {
		return this.#who.url.origin;
	}

	async start(intentUrl) {
		try {
			await this.#open();
		} catch {
			return this.fail('NO_DIALOG');
		}
		if (this.#over)
			return;
		const reply = await this.#fetch('GET', intentUrl);
		if (this.#over)
			return;
		if (reply.error !== undefined)
			return this.fail(reply.error === 'network' ||
				reply.error === 'timeout' ? 'ISSUER_UNREACHABLE' : 'ISSUER_ERROR');
		if (reply.status !== 200 || reply.body === '')
			return this.fail('ISSUER_ERROR', { status: reply.status });
		this.#host = new Host({
			hello: () => this.#host.send({
				type: 'start', origin: this.origin, intent: reply.body,
			}),
			message: (message) => this.#fromHost(message),
			end: (code) => this.fail(code),
		});
	}

	// ---- the dialog window ----

	async #open() {
		const where = {};
		try {
			const w = await chrome.windows.get(this.#who.tab.windowId);
			where.left = Math.max(0,
				Math.round(w.left + (w.width - WIDTH) / 2));
			where.top = Math.max(0, Math.round(w.top + (w.height - HEIGHT) / 4));
		} catch {
			// The browser finds a place itself.
		}
		const url = chrome.runtime.getURL('dialog/dialog.html') + '#' +
			this.#nonce;
		const size = { type: 'popup', width: WIDTH, height: HEIGHT };
		const opened = await chrome.windows.create({ url, ...size, ...where })
			.catch(() => chrome.windows.create({ url, ...size }));
		this.#window = opened.id;
		// The person may have left while it opened.
		if (this.#over && this.view.phase !== 'failed')
			chrome.windows.remove(this.#window).catch(() => {});
	}

	// A dialog page's port: ours if it knows the nonce.
	adopt(port, nonce) {
		if (nonce !== this.#nonce || this.#dialog !== null)
			return false;
		this.#dialog = port;
		port.onMessage.addListener((message) => this.#fromDialog(message));
		port.onDisconnect.addListener(() => {
			this.#dialog = null;
			this.fail(this.#accepted ? 'CANCELLED' : 'REFUSED');
		});
		this.#show();
		return true;
	}

	focus() {
		if (this.#window !== null)
			chrome.windows.update(this.#window, { focused: true })
				.catch(() => {});
	}

	#show() {
		try {
			this.#dialog?.postMessage({ type: 'view', view: this.view });
		} catch {
			// onDisconnect comes
		}
	}

	#fromDialog(message) {
		if (this.#over)
			return;
		if (message.type === 'refuse') {
			this.#host?.send({ type: 'refuse' });
			this.fail('REFUSED');
		} else if (message.type === 'cancel') {
			this.#host?.send({ type: 'cancel' });
			this.fail('CANCELLED');
		} else if (message.type === 'accept' && this.view.phase === 'consent') {
			this.#accepted = true;
			this.#decided({ type: 'accept', reader: message.reader ?? null });
		} else if (['accept', 'drop'].includes(message.type) &&
		    this.view.phase === 'unfinished') {
			this.#decided({ type: message.type });
		}
	}

	// The agent waits for the person, who may have left.
	#ask(phase) {
		this.view.phase = phase;
		this.#timer = setTimeout(() => {
			this.#host?.send({ type: 'refuse' });
			this.fail('TIMED_OUT');
		}, PERSON_MS);
	}

	#decided(answer) {
		clearTimeout(this.#timer);
		this.view.phase = 'running';
		this.#host.send(answer);
		this.#show();
	}

	// ---- the page ----

	#toPage(message) {
		try {
			this.#page?.postMessage(message);
		} catch {
			// onDisconnect comes
		}
	}

	#fetch(method, url, body) {
		const n = ++fetches;
		return new Promise((resolve) => {
			this.#fetches.set(n, resolve);
			this.#toPage({ type: 'fetch', n, method, url, body });
		});
	}

	fromPage(message) {
		if (message.type === 'fetched') {
			this.#fetches.get(message.n)?.(message);
			this.#fetches.delete(message.n);
		} else if (message.type === 'cancel' && !this.#over) {
			this.#host?.send({ type: 'cancel' });
			this.fail('CANCELLED');
		}
	}

	pageGone() {
		this.#page = null;
		this.fail('PAGE_GONE');
	}

	// ---- the agent ----

	#fromHost(message) {
		const handle = this.#handlers[message?.type];
		if (this.#over)
			return;
		if (handle === undefined)
			return this.fail('AGENT_CRASHED');
		handle.call(this, message);
		this.#show();
	}

	#handlers = {
		consent(m) {
			this.#ask('consent');
			this.view.consent = {
				issuer: m.issuer, purpose: m.purpose, subject: m.subject,
				action: m.action, mode: m.mode, isNew: m.new === true,
				resume: m.resume === true, makes: listOf(m.makes),
				replaces: listOf(m.replaces), deletes: listOf(m.deletes),
				unlocks: listOf(m.unlocks), commands: listOf(m.commands),
				keysMax: Number.isInteger(m.keys_max) ? m.keys_max : null,
			};
			this.view.readers = listOf(m.readers);
		},
		unfinished(m) {
			this.#ask('unfinished');
			this.view.unfinished = m.reader;
		},
		readers(m) {
			this.view.readers = listOf(m.readers);
		},
		progress(m) {
			const step = STEP_OF[m.phase];
			if (STEPS.indexOf(step) > STEPS.indexOf(this.view.step))
				this.view.step = step;
			this.#toPage({
				type: 'progress',
				progress: { phase: m.phase, key: m.key, state: m.state,
					step: m.step },
			});
		},
		wait(m) {
			this.view.waiting = typeof m.for === 'string' ?
				{ for: m.for, reader: m.reader ?? null,
					tries: m.tries_left ?? null,
					error: m.error?.number ?? null } : null;
			this.#toPage({
				type: 'progress', progress: { wait: this.view.waiting?.for ?? null },
			});
		},
		async post(m) {
			// The agent has checked this; it costs nothing here.
			if (URL.parse?.(m.url) === null ||
			    new URL(m.url).origin !== this.origin)
				return this.#host.send({ type: 'reply', id: m.id,
					error: 'redirect' });
			const reply = await this.#fetch('POST', m.url, m.body);
			delete reply.n;
			this.#host?.send({ ...reply, type: 'reply', id: m.id });
		},
		done(m) {
			this.#end();
			this.view.phase = 'done';
			this.view.changes = listOf(m.cards_objects);
			this.#toPage({ type: 'result', certificates: this.view.changes });
		},
		failed(m) {
			const e = m.error ?? {};
			this.fail(codeOf(e.number), {
				number: e.number, sentence: e.sentence, remedy: e.remedy,
				resumable: m.resumable === true,
			});
		},
	};

	// ---- the end ----

	#end() {
		this.#over = true;
		clearTimeout(this.#timer);
		this.#host?.close();
		this.#host = null;
		this.view.waiting = null;
		for (const resolve of this.#fetches.values())
			resolve({ error: 'tab-gone' });
		this.#fetches.clear();
		this.#onEnd(this);
	}

	// more: { number, sentence, remedy } of the agent, { status } over HTTP.
	fail(code, more = {}) {
		if (this.#over)
			return;
		this.view.phase = 'failed';
		this.view.failure = { code, ...more };
		this.#end();
		this.#toPage({
			type: 'error', code,
			more: more.number === undefined ? {} : {
				number: more.number,
				message: chrome.i18n.getMessage('error_' + more.number) ||
					more.sentence,
				remedy: chrome.i18n.getMessage(remedyKey(code, more.number)) ||
					more.remedy,
			},
		});
		this.#show();
		// Nobody needs to be told what he has just done.
		if (code === 'REFUSED' && this.#window !== null)
			chrome.windows.remove(this.#window).catch(() => {});
	}
}
