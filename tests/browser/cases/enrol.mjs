// SPDX-License-Identifier: Apache-2.0
// A person enrols, or does not want to.
import { same } from '../lib/tap.mjs';
import { until } from '../lib/wait.mjs';

export const cases = [
	['from the link to a card with key and certificate', async (f) => {
		f.used = await f.world.cardIn(0);
		const tab = await f.invited();
		await f.ready(tab);
		// (Playwright's looking at a page counts as a click in it.)
		if (f.kind === 'Firefox')
			same(await f.text(tab, '#rest'), 'This site is new to the ' +
				'extension: the rest is looked for when you begin.');
		await f.shot(tab, 'page-begin');
		const dialog = await f.begin(tab);
		await dialog.reaches('consent');
		await dialog.says('#host', new RegExp(
			'^' + new URL(f.world.url).host + '$'));
		await dialog.says('#subject', /Ada Lovelace/);
		await dialog.says('#makes', /slot 9A/);
		await dialog.says('#learns', /this issuer alone/);
		await dialog.says('.asker', /new to this computer/);
		same(await dialog.tab.eval('return document.activeElement.id'), 'refuse');
		await dialog.shot('consent');
		await dialog.agree();
		await dialog.reaches('done');
		await dialog.says('#changes', /9A/);
		await dialog.shot('done');
		await f.arrives(tab, '/done');
		await f.shot(tab, 'page-done');
		if (!/9A .*with certificate/.test(
			f.world.tool('cardwright-agent', 'cards')))
			throw new Error('the card holds no certificate');
		await f.tidy(tab);
	}],

	['an issuer that was here before is known', async (f) => {
		await f.world.cardOut(0);
		await f.world.cardIn(0);
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.says('.asker', /before/);
		same(await dialog.tab.eval(
			'return document.getElementById("new").hidden'), true);
		await dialog.shot('known');
		// On what has the focus: Refuse. The window may go before the key is up.
		await dialog.tab.press('Enter').catch(() => {});
		same((await f.answer(tab)).code, 'REFUSED');
		await until('the window closes', () => f.browser.noDialog());
		await f.untouched();
		await f.tidy(tab);
	}],

	['all of the scope is shown; closing the window is a refusal', async (f) => {
		const tab = await f.invited('--profile', 'person-ed25519');
		const dialog = await f.ask(tab);
		await dialog.reaches('consent');
		await dialog.says('#makes', /Set rules for a PIN/);
		await dialog.tab.close();
		same((await f.answer(tab)).code, 'REFUSED');
		await f.untouched();
		await f.tidy(tab);
	}],

	['of two readers the chosen one is used', async (f) => {
		await f.world.cardOut(0);
		await f.world.cardIn(0);
		await f.world.cardIn(1);
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.says('#reader-list', /00 01/);
		await until('both readers show their cards', async () =>
			(await dialog.text('#reader-list')).match(/Card is ready/g)
				?.length === 2);
		await dialog.shot('two-readers');
		await dialog.tab.click('#reader-list label:nth-of-type(2)');
		await dialog.agree();
		await dialog.reaches('done');
		const cards = f.world.tool('cardwright-agent', 'cards')
			.split(/(?=Virtual PCD)/);
		same(cards.map((c) => /9A .*with certificate/.test(c)), [false, true],
			'which card holds the certificate');
		await f.tidy(tab);
		await f.world.cardOut(1);
	}],

	['a page may cancel what it began', async (f) => {
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.reaches('consent');
		await tab.eval(`postMessage({ cardwright: 1, id: 'c', type: 'cancel' },
			location.origin)`);
		await f.fails(tab, dialog, 'CANCELLED');
		await f.untouched();
		await f.tidy(tab);
	}],

	['a page learns what is there, but no names', async (f) => {
		const tab = await f.invited();
		await tab.eval(`postMessage({ cardwright: 1, id: 's', type: 'status' },
			location.origin)`);
		const status = await until('the status comes', async () =>
			(await tab.eval('return answers')).find((a) => a.id === 's'));
		same([status.problem, status.pcscd, status.readers],
			[null, true, [{ card: 'cardwright' }, { card: 'none' }]]);
		if (/Virtual/.test(JSON.stringify(status)))
			throw new Error('a name: ' + JSON.stringify(status));
		await f.tidy(tab);
	}],
];
