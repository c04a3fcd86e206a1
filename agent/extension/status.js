// SPDX-License-Identifier: Apache-2.0
// What a page may know before anybody has agreed to anything: whether the
// parts are there. No names of readers: they would tell people apart.
import { Host } from './host.js';

const STATUS_MS = 10000;

// An answer that starts no agent and tells nothing.
export function withheld(problem) {
	return {
		extension: true,
		version: chrome.runtime.getManifest().version,
		agent: null, problem, pcscd: null, readers: [], pin: null,
	};
}

export function status() {
	const found = withheld(null);
	return new Promise((resolve) => {
		let host = null;
		const end = (problem) => {
			clearTimeout(timer);
			host?.close();
			resolve({ ...found, problem });
		};
		const timer = setTimeout(() => end('AGENT_CRASHED'), STATUS_MS);
		host = new Host({
			hello(m) {
				found.agent = {
					version: m.agent, capabilities: m.capabilities ?? [],
				};
				host.send({ type: 'status' });
			},
			message(m) {
				if (m.type !== 'status')
					return end('AGENT_CRASHED');
				found.pcscd = m.pcscd === true;
				found.readers = (m.readers ?? []).map((r) => ({ card: r.card }));
				found.pin = m.pin ?? null;
				end(null);
			},
			end,
		});
	});
}
