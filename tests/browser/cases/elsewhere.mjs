// SPDX-License-Identifier: Apache-2.0
// The card is in the middle of another session of the same issuer, which was
// begun on another computer: nobody has agreed to it here.
import { same } from '../lib/tap.mjs';
import { atPin } from './card.mjs';

// As another computer would leave it: this one remembers nothing of it.
async function begunElsewhere(f) {
	const { tab, dialog } = await atPin(f);
	for (const pid of f.world.agents())
		process.kill(pid, 'SIGKILL');
	await f.fails(tab, dialog, 'AGENT_CRASHED');
	await f.tidy(tab);
	f.world.pin('good');
	f.world.forget();
}

// Agrees to an Intent of one's own, and is asked about the other session.
async function agreed(f) {
	const tab = await f.invited('--subject', 'CN=Grace Hopper');
	const dialog = await f.ask(tab);
	await dialog.says('#subject', /Grace Hopper/);
	await dialog.agree();
	await dialog.reaches('unfinished');
	return { tab, dialog };
}

export const cases = [
	['another computer\'s session is not finished unasked', async (f) => {
		await begunElsewhere(f);
		const { tab, dialog } = await agreed(f);
		await dialog.says('#unfinished-who', /not begun on this computer/);
		await dialog.says('#unfinished-reader', /Virtual PCD 00 00/);
		same(await dialog.tab.eval('return document.activeElement.id'), 'refuse');
		await dialog.shot('unfinished');
		await dialog.refuse();
		same((await f.answer(tab)).code, 'REFUSED');
		await f.untouched();
		await f.tidy(tab);
	}],

	['it can be dropped for what was agreed to here', async (f) => {
		const { tab, dialog } = await agreed(f);
		await dialog.armed('#drop');
		await dialog.tab.click('#drop');
		await dialog.reaches('done');
		await dialog.says('#changes', /Grace Hopper/);
		await f.tidy(tab);
	}],

	['or finished', async (f) => {
		await begunElsewhere(f);
		const { tab, dialog } = await agreed(f);
		await dialog.armed();
		await dialog.tab.click('#accept');
		await dialog.reaches('done');
		await dialog.says('#changes', /Ada Lovelace/);
		await f.tidy(tab);
	}],
];
