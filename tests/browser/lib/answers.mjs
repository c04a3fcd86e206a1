// SPDX-License-Identifier: Apache-2.0
// What the extension would answer to a page, as a script for the page: states
// that last too short, or come too seldom, to be looked at with the real one.
// The page's script is given `window.fake`, which tests change while it runs.

const AGENT = { agent: { version: '0.1.0', capabilities: ['enroll'] },
	pcscd: true, pin: 'pinentry', problem: null };

export const STATUS = {
	none: null, // no extension
	agent: { agent: null, pcscd: null, readers: [], problem: 'AGENT_MISSING' },
	pcscd: { ...AGENT, pcscd: false, readers: [] },
	reader: { ...AGENT, readers: [] },
	card: { ...AGENT, readers: [{ card: 'none' }] },
	stranger: { agent: null, pcscd: null, readers: [],
		problem: 'NEEDS_CLICK' },
	ready: { ...AGENT, readers: [{ card: 'cardwright' }] },
};

const begun = ['intent', 'capabilities', 'session'].flatMap((phase) => [
	['progress', { phase, state: 'begin' }],
	['progress', { phase, state: 'end' }]]);
const keys = ['progress', { phase: 'keys', state: 'begin' }];

export const RUN = {
	running: [...begun, keys],
	waiting: [...begun, keys, ['progress', { wait: 'pin' }]],
	removed: [...begun, keys, ['error', { code: 'CARD_REMOVED', number: 506,
		message: 'The card was taken out too early.', remedy: 'Back.' }]],
	issuer: [['error', { code: 'ISSUER_ERROR', number: 605,
		message: 'The profile does not allow this.',
		remedy: 'Use a card, key or subject that the profile allows.' }]],
	cancelled: [],
};

export function script(status, run) {
	return `
	window.fake = ${JSON.stringify({ status, run })};
	addEventListener('message', ({ data }) => {
		if (data?.cardwright !== 1 || data.from || fake.status === null)
			return;
		const answer = (id, type, more) => postMessage({ ...more, cardwright: 1,
			from: 'extension', id, type }, location.origin);
		if (data.type === 'ping')
			answer(data.id, 'pong', { version: '1.0.0' });
		else if (data.type === 'status')
			answer(data.id, 'status', fake.status);
		else if (data.type === 'provision') {
			fake.id = data.id;
			for (const [type, more] of fake.run ?? [])
				answer(data.id, type, more);
		} else if (data.type === 'cancel')
			answer(fake.id, 'error', { code: 'CANCELLED', number: 531 });
	});`;
}
