// SPDX-License-Identifier: Apache-2.0
// How the card is left when a run ends in the middle: reset, so that nothing
// that this run has verified or opened serves another program. Each run has
// the PIN, has opened a session, and then finds the issuer gone.
import { same } from '../lib/tap.mjs';
import { until } from '../lib/wait.mjs';
import { enrolled } from './manage.mjs';

const SELECT_PIV = '00a4040009a00000030800001000';
const RIGHT_PIN = '0020008008323731383238ffff';

// The PIN was right, and the issuer is not there to hear of it. What comes then.
async function withoutIssuer(f, then) {
	await enrolled(f);
	f.world.pin('gate');
	const tab = await f.invited('--profile', 'signature',
		'--mode', '1');
	const dialog = await f.ask(tab);
	await dialog.agree();
	await dialog.says('#wait', /Enter the PIN/);
	await f.world.issuerStop();
	try {
		await f.world.openGate();
		await until('the PIN is taken', async () =>
			(await dialog.text('#wait')) === '');
		await then(tab, dialog);
	} finally {
		await f.world.issuerStart();
	}
}

// What was begun is finished when the issuer is back.
async function goesOn(f) {
	const tab = await f.invited();
	const dialog = await f.ask(tab);
	await dialog.says('.asker', /goes on with what it began/);
	await dialog.agree();
	await dialog.reaches('done');
	await f.tidy(tab);
}

// [sentence, how it ends, what the page is told]
const ends = [
	['when the tab closes', async (f, tab, dialog) => {
		await tab.close();
		await dialog.reaches('failed');
	}, null],
	['when the dialog closes', (f, tab, dialog) => dialog.tab.close(),
		'CANCELLED'],
	['when it is cancelled', (f, tab, dialog) => dialog.refuse(), 'CANCELLED'],
	['when the agent is killed', (f) => {
		for (const pid of f.world.agents())
			process.kill(pid, 'SIGKILL');
	}, 'AGENT_CRASHED'],
];

export const cases = [
	['what another program leaves on a card is seen by these tests',
		async (f) => {
			await enrolled(f);
			same(await f.world.asCardSays(SELECT_PIV, RIGHT_PIN),
				'6123 9000'); // the first has an answer of 35 bytes
			same(await f.world.asCardSays('00200080'), '9000');
			await f.leftReset().then(() => {
				throw new Error('it was not seen');
			}, () => {});
		}],

	...ends.map(([sentence, end, code]) => [
		`${sentence} after the PIN the card is left reset`,
		(f) => withoutIssuer(f, async (tab, dialog) => {
			await end(f, tab, dialog);
			if (code !== null)
				same((await f.answer(tab)).code, code);
			await f.leftReset();
			await f.tidy(tab);
		})]),

	['when the browser closes after the PIN the card is left reset',
		async (f) => {
			await withoutIssuer(f, async () => {
				await f.browser.close();
				await f.leftReset();
			});
			await f.relaunch();
		}],

	['an issuer that stays away for a minute is given up, and told',
		async (f) => {
			await withoutIssuer(f, async (tab, dialog) => {
				const begin = Date.now();
				await until('it ends', async () =>
					(await dialog.phase()) === 'failed', 180000);
				const seconds = (Date.now() - begin) / 1000;
				await f.fails(tab, dialog, 'ISSUER_UNREACHABLE');
				if (seconds < 45)
					throw new Error(`after ${seconds} seconds already`);
				await dialog.says('#failed-todo', /goes on/);
				await dialog.shot('failed-issuer-away');
				await f.leftReset();
				await f.tidy(tab);
			});
			await goesOn(f);
		}],
];
