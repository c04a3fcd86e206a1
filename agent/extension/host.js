// SPDX-License-Identifier: Apache-2.0
// The agent at the other end of native messaging. One process per run: it ends
// when the port closes (docs/agent.md "Native messaging").

const NAME = 'io.cardwright.agent';
const VERSION = 1;
const HELLO_MS = 8000;

// What the browser says when the port closes by itself. Chromium has
// lastError, Firefox port.error; neither has more than a sentence.
const REASONS = [
	[/native messaging host not found|No such native application/i,
		'AGENT_MISSING'],
	// Firefox says no more than the second when there is no such program.
	[/failed to start|unexpected error occurred/i, 'AGENT_MISSING'],
	[/forbidden|not allowed/i, 'AGENT_FORBIDDEN'],
];

function reason(text) {
	return REASONS.find(([words]) => words.test(text))?.[1] ?? 'AGENT_CRASHED';
}

function languages() {
	const all = [chrome.i18n.getUILanguage(), ...navigator.languages];
	return [...new Set(all)].slice(0, 8);
}

export class Host {
	#port;
	#timer = null;
	#on;
	#greeted = false;

	// on: { hello(message), message(message), end(code) }. end is called once,
	// and not after close().
	constructor(on) {
		this.#on = on;
		this.#port = chrome.runtime.connectNative(NAME);
		this.#port.onMessage.addListener((message) => this.#receive(message));
		this.#port.onDisconnect.addListener((port) => {
			const error = chrome.runtime.lastError ?? port.error;
			this.#end(reason(error?.message ?? ''));
		});
		this.#timer = setTimeout(() => this.#end('AGENT_CRASHED'), HELLO_MS);
		this.send({
			type: 'hello',
			version: VERSION,
			extension: chrome.runtime.getManifest().version,
			languages: languages(),
		});
	}

	#receive(message) {
		if (this.#port === null)
			return;
		if (this.#greeted || message?.type === 'failed') {
			this.#on.message(message);
			return;
		}
		if (message?.type !== 'hello')
			return this.#end('AGENT_CRASHED');
		if (message.version !== VERSION)
			return this.#end('AGENT_OLD');
		clearTimeout(this.#timer);
		this.#greeted = true;
		this.#on.hello(message);
	}

	#end(code) {
		if (this.#port === null)
			return;
		this.close();
		this.#on.end(code);
	}

	send(message) {
		try {
			this.#port?.postMessage(message);
		} catch {
			this.#end('AGENT_CRASHED');
		}
	}

	// The agent resets the card and is gone.
	close() {
		clearTimeout(this.#timer);
		const port = this.#port;
		this.#port = null;
		port?.disconnect();
	}
}
