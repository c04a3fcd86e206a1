// SPDX-License-Identifier: Apache-2.0
// What goes wrong with reader, card, PIN and issuer, and how it goes on.
import { same } from '../lib/tap.mjs';
import { until } from '../lib/wait.mjs';
import { atPin } from './card.mjs';
import { enrolled } from './manage.mjs';

// What the page has heard that is waited for.
function pageWaits(f, tab, what) {
	return until('the page waits for ' + what, async () =>
		(await tab.eval('return answers')).some((a) => a.wait === what));
}

async function cancelled(f, tab, dialog) {
	await dialog.refuse();
	await f.fails(tab, dialog, 'CANCELLED');
	await f.tidy(tab);
}

export const cases = [
	['without any reader it asks for one', async (f) => {
		await f.world.readerStop();
		await f.world.readerStart('none');
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.reaches('consent');
		await dialog.says('#reader-list', /No card reader is connected/);
		await dialog.shot('no-reader');
		await dialog.agree();
		await dialog.says('#wait', /Connect a card reader/);
		await dialog.shot('wait-reader');
		await pageWaits(f, tab, 'reader');
		await cancelled(f, tab, dialog);
		await f.world.readerStop();
		await f.world.readerStart();
	}],

	['a card that is none of ours is named, and a right one waited for',
		async (f) => {
			await f.world.chipIn(0);
			const tab = await f.invited();
			const dialog = await f.ask(tab);
			await dialog.says('#reader-list', /A card of another kind/);
			await dialog.agree();
			await dialog.says('#wait', /not a Cardwright card/);
			await dialog.shot('wait-foreign');
			await pageWaits(f, tab, 'card');
			await f.world.cardOut(0);
			await f.world.cardIn(0);
			await dialog.reaches('done');
			await f.tidy(tab);
		}],

	['another card than before is named, and the right one waited for',
		async (f) => {
			const { tab, dialog, card } = await atPin(f);
			await f.world.cardOut(0);
			await f.world.openGate();
			await dialog.says('#wait', /same card back/);
			await f.world.cardIn(0);
			await dialog.says('#wait', /not the card that the session began/);
			await dialog.shot('wait-other-card');
			await f.untouched();
			await f.world.cardOut(0);
			await f.world.cardIn(0, card);
			await dialog.reaches('done');
			f.used = card;
			await f.tidy(tab);
		}],

	['one wrong PIN, then the right one', async (f) => {
		await enrolled(f);
		const before = f.world.pinErrors();
		f.world.pin('slip');
		const tab = await f.invited('--profile', 'signature',
			'--mode', '1');
		const dialog = await f.ask(tab);
		await dialog.agree();
		await dialog.reaches('done');
		same(f.world.pinErrors() - before, 1, 'times that the PIN was called wrong');
		await f.tidy(tab);
	}],

	['a card that another program uses is waited for', async (f) => {
		await f.world.cardOut();
		await f.world.cardIn(0);
		const holder = await f.world.hold();
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		try {
			await dialog.agree();
			await dialog.says('#wait', /Another program is using the card/);
			await dialog.shot('wait-in-use');
			await pageWaits(f, tab, 'card-in-use');
		} finally {
			await f.world.release(holder);
		}
		await dialog.reaches('done');
		await f.tidy(tab);
	}],

	['what people must approve is finished later', async (f) => {
		await f.world.cardOut(0);
		const card = await f.world.cardIn(0);
		const tab = await f.invited('--profile', 'approved');
		const dialog = await f.ask(tab);
		await dialog.agree();
		await f.fails(tab, dialog, 'APPROVAL_PENDING');
		await dialog.shot('later');
		await f.tidy();
		f.world.approve();
		await f.world.cardOut(0);
		await f.world.cardIn(0, card);
		await tab.eval('answers.length = 0');
		const again = await f.ask(tab);
		await again.says('.asker', /goes on with what it began/);
		await again.agree();
		await again.reaches('done');
		await again.says('#changes', /Ada Lovelace/);
		await f.tidy(tab);
	}],

	['a system that forbids smart cards to this user is told', async (f) => {
		const back = await f.world.forbid();
		const tab = await f.invited();
		try {
			const dialog = await f.ask(tab);
			await dialog.reaches('consent');
			await dialog.agree();
			await f.fails(tab, dialog, 'POLKIT_REFUSED');
			same(await dialog.text('#failed-number'), 'Error 501');
			await dialog.shot('failed-polkit');
			await f.tidy(tab);
		} finally {
			await back();
		}
	}],
];
