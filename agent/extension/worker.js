// SPDX-License-Identifier: Apache-2.0
// The background of the extension: who may ask, one run at a time, and which
// port belongs to whom.
import { identify } from './identity.js';
import { isKnown, mayAsk, remember } from './origins.js';
import { Run } from './run.js';
import { status, withheld } from './status.js';

// A site whose dialog was refused this often waits before it may ask again.
const REFUSALS = 3;
const REFUSALS_MS = 60000;

const refusals = new Map(); // origin -> times
let current = null; // the last run; its dialog may come after its end

// The reason why this page may not ask, or null.
async function objection(who) {
	if (who === null)
		return 'ORIGIN_REFUSED';
	return await mayAsk(who.url) ? null : 'SITE_NOT_LISTED';
}

function tired(origin) {
	const recent = (refusals.get(origin) ?? [])
		.filter((t) => Date.now() - t < REFUSALS_MS);
	refusals.set(origin, recent);
	return recent.length >= REFUSALS;
}

function ended(run) {
	if (run.wasAccepted)
		remember(run.origin).catch(() => {});
	if (run.view.failure?.code === 'REFUSED' && !run.wasAccepted)
		refusals.set(run.origin,
			[...(refusals.get(run.origin) ?? []), Date.now()]);
}

// ---- a page's content script ----

class Page {
	#port;
	#who;
	#run = null;
	#asking = null;
	#wasClicked = false;

	constructor(port) {
		this.#port = port;
		this.#who = identify(port.sender, chrome.runtime.id);
		port.onMessage.addListener((message) => this.#receive(message));
		port.onDisconnect.addListener(() => {
			this.#run?.pageGone();
			this.#run = null;
			this.#port = null;
		});
	}

	#receive(message) {
		if (message.type === 'status')
			this.#status(message.id, message.clicked === true);
		else if (message.type === 'provision')
			this.#provision(message.intent);
		else
			this.#run?.fromPage(message);
	}

	#send(message) {
		this.#port?.postMessage(message);
	}

	async #find() {
		const problem = await objection(this.#who);
		if (problem !== null)
			return withheld(problem);
		if (!this.#wasClicked && !await isKnown(this.#who.url))
			return withheld('NEEDS_CLICK');
		return status();
	}

	async #status(id, clicked) {
		// What was withheld from the page is asked for anew.
		if (clicked && !this.#wasClicked)
			this.#asking = null;
		this.#wasClicked ||= clicked;
		// However often a page asks, one agent is started for it at a time.
		const asking = this.#asking ??= this.#find();
		const found = await asking;
		if (this.#asking === asking)
			this.#asking = null;
		this.#send({ type: 'status', id, status: found });
	}

	async #provision(intent) {
		const problem = await objection(this.#who);
		if (problem !== null)
			return this.#send({ type: 'error', code: problem });
		if (tired(this.#who.url.origin))
			return this.#send({ type: 'error', code: 'ORIGIN_REFUSED' });
		if (current !== null && !current.isOver) {
			current.focus();
			return this.#send({ type: 'error', code: 'BUSY' });
		}
		if (this.#port === null)
			return;
		current = this.#run = new Run(this.#port, this.#who, ended);
		await this.#run.start(intent);
	}
}

// ---- the dialog window ----

function dialog(port) {
	const own = chrome.runtime.getURL('dialog/dialog.html');
	if (port.sender.id !== chrome.runtime.id ||
	    port.sender.url?.split('#')[0] !== own)
		return port.disconnect();
	port.onMessage.addListener(function first(message) {
		port.onMessage.removeListener(first);
		if (message.type !== 'dialog' ||
		    !current?.adopt(port, message.nonce))
			port.disconnect();
	});
}

chrome.runtime.onConnect.addListener((port) => {
	if (port.name === 'page')
		new Page(port);
	else if (port.name === 'dialog')
		dialog(port);
	else
		port.disconnect();
});
