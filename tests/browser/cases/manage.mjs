// SPDX-License-Identifier: Apache-2.0
// What the card holds already: renewed, deleted, unlocked. The window says what is
// meant before anything happens, and the page what was done.
import path from 'node:path';

const NAME = 'CN=Ada Lovelace,O=Analytical Engines';
const PIV = '00:A4:04:00:09:A0:00:00:03:08:00:00:10:00';
const WRONG = '00:20:00:80:08:39:39:39:31:31:31:FF:FF';
const TRIES = '00:20:00:80';

// A fresh card with a key in 9A, set up without a browser; its serial number.
export async function enrolled(f) {
	const w = f.world;
	await w.cardOut(0);
	await w.cardIn(0);
	w.tool('cardwright-agent', 'enroll', w.invite('--mode', '2'), '--yes',
		'--timeout', '120', '--ca', path.join(w.keys, 'tls-root.pem'),
		'--pinentry', w.pinentry);
	const rows = w.tool('cardwright-admin', '--config',
		path.join(w.keys, 'issuer.ini'), 'list').split('\n');
	return rows.find((r) => / active .* person /.test(r)).split(' ')[0];
}

function apdus(f, ...list) {
	return f.world.run('opensc-tool', '--reader', '0',
		...list.flatMap((a) => ['--send-apdu', a]));
}

// From the link through the window to the last page.
async function managed(f, action, { page, window, changes, done }) {
	const tab = await f.invited('--action', action, '--certificates',
		await enrolled(f).then((serial) => {
			if (action === 'unlock')
				apdus(f, PIV, WRONG, WRONG, WRONG);
			return serial;
		}));
	const says = async (pattern) => {
		const text = await f.text(tab, 'main');
		if (!pattern.test(text))
			throw new Error(`the page does not say ${pattern}: ${text}`);
	};
	await says(page);
	await f.ready(tab);
	await f.shot(tab, `page-${action}`);
	const dialog = await f.begin(tab);
	await dialog.reaches('consent');
	await dialog.says('#makes', window);
	await dialog.shot(action);
	await dialog.agree();
	await dialog.reaches('done');
	await dialog.says('#changes', changes);
	await dialog.shot(action + '-done');
	await f.arrives(tab, '/done');
	await says(done);
	await f.shot(tab, `page-${action}-done`);
	await f.tidy(tab);
}

export const cases = [
	['a key is renewed in its place, by its name', async (f) => {
		await managed(f, 'renew', {
			page: new RegExp(`Replaced by it\\s+${NAME} \\(9A\\)`),
			window: new RegExp(`Replaces: key of “${NAME}” .*slot 9A`),
			changes: /Ada Lovelace[^]*Replaced/,
			done: /Your certificate/,
		});
	}],

	['a key is deleted, by its name', async (f) => {
		await managed(f, 'manage', {
			page: new RegExp(`Deleted from your card\\s+${NAME} \\(9A\\)`),
			window: new RegExp(`Deletes: key of “${NAME}” .*slot 9A`),
			changes: /Ada Lovelace[^]*Deleted/,
			done: new RegExp(`Deleted\\s+${NAME} \\(9A\\)`),
		});
		await f.untouched();
	}],

	['a blocked PIN is unlocked', async (f) => {
		await managed(f, 'unlock', {
			page: new RegExp(`The PIN is unblocked for\\s+${NAME} \\(9A\\)`),
			window: new RegExp(`Unlocks: PIN of “${NAME}” .*slot 9A`),
			changes: /PIN[^]*Unlocked/,
			done: new RegExp(`PIN unblocked for\\s+${NAME} \\(9A\\)`),
		});
		if (!/SW1=0x63, SW2=0xC3/.test(apdus(f, PIV, TRIES)))
			throw new Error('the PIN has not all its tries');
	}],
];
