// SPDX-License-Identifier: Apache-2.0
// What happens to card, PIN, page and agent in the middle of a run.
import { same } from '../lib/tap.mjs';
import { until } from '../lib/wait.mjs';

// A run that waits for its PIN, with a card that nobody has used.
export async function atPin(f) {
	await f.world.cardOut(0);
	const card = await f.world.cardIn(0);
	f.world.pin('gate');
	const tab = await f.invited();
	const dialog = await f.ask(tab);
	await dialog.agree();
	await dialog.says('#wait', /Enter the PIN/);
	return { tab, dialog, card };
}

export const cases = [
	['no card: it waits for one, and goes on', async (f) => {
		await f.world.cardOut(0);
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.agree();
		await dialog.says('#wait', /Put your card/);
		await dialog.shot('wait-card');
		await f.world.cardIn(0);
		await dialog.reaches('done');
		await f.tidy(tab);
	}],

	['the wait for the PIN shows where to enter it', async (f) => {
		const { tab, dialog } = await atPin(f);
		await dialog.shot('wait-pin');
		await f.world.openGate();
		await dialog.reaches('done');
		await f.tidy(tab);
	}],

	['a card pulled out is asked for, and the same run goes on', async (f) => {
		const { tab, dialog, card } = await atPin(f);
		await f.world.cardOut(0);
		await f.world.openGate();
		await dialog.says('#wait', /same card back/);
		await dialog.shot('wait-card-again');
		await f.world.cardIn(0, card);
		await dialog.reaches('done');
		await f.tidy(tab);
	}],

	['a PIN that was cancelled is a refusal', async (f) => {
		f.world.pin('cancel');
		await f.world.cardOut(0);
		await f.world.cardIn(0);
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.agree();
		same((await f.answer(tab)).code, 'REFUSED');
		await f.leftReset();
		f.world.pin('good');
		await f.tidy(tab);
	}],

	['a PIN that nobody entered is a timeout', async (f) => {
		await f.world.cardOut(0);
		await f.world.cardIn(0);
		f.world.pin('late');
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.agree();
		await f.fails(tab, dialog, 'TIMED_OUT');
		await dialog.shot('failed-timeout');
		await f.leftReset();
		f.world.pin('good');
		await f.tidy(tab);
	}],

	['a wrong PIN too often says that it is blocked', async (f) => {
		await f.world.cardOut(0);
		await f.world.cardIn(0, f.used);
		f.world.pin('wrong');
		const tab = await f.invited('--mode', '1');
		const dialog = await f.ask(tab);
		await dialog.says('#learns', /serial number/);
		await dialog.agree();
		await f.fails(tab, dialog, 'PIN_BLOCKED');
		await dialog.shot('failed-blocked');
		await f.leftReset();
		f.world.pin('good');
		await f.tidy(tab);
		await f.world.cardOut(0);
	}],

	['when the tab closes the agent goes at once', async (f) => {
		const { tab, dialog } = await atPin(f);
		await tab.close();
		await dialog.reaches('failed');
		await dialog.says('#failed-what', /page was closed/);
		await f.leftReset();
		await dialog.shot('failed-page-gone');
		await f.tidy();
	}],

	['when the dialog closes the agent goes, and the page knows', async (f) => {
		const { tab, dialog } = await atPin(f);
		await dialog.tab.close();
		same((await f.answer(tab)).code, 'CANCELLED');
		await f.leftReset();
		await f.tidy(tab);
	}],

	['Cancel in the dialog ends it', async (f) => {
		const { tab, dialog } = await atPin(f);
		await dialog.refuse();
		await f.fails(tab, dialog, 'CANCELLED');
		await f.leftReset();
		await f.tidy(tab);
	}],

	['a killed agent is not waited for', async (f) => {
		const { tab, dialog } = await atPin(f);
		for (const pid of f.world.agents())
			process.kill(pid, 'SIGKILL');
		await f.fails(tab, dialog, 'AGENT_CRASHED');
		await dialog.shot('failed-crashed');
		await f.leftLocked();
		await f.tidy(tab);
	}],

	['what a killed agent left on the card goes on', async (f) => {
		f.world.pin('good');
		const tab = await f.invited();
		const dialog = await f.ask(tab);
		await dialog.agree();
		await dialog.reaches('done');
		await f.tidy(tab);
	}],

	['an issuer that goes and comes back is waited for', async (f) => {
		const { tab, dialog } = await atPin(f);
		await f.world.issuerStop();
		await f.world.openGate();
		await until('the step changes', async () =>
			(await dialog.text('#wait')) === '');
		await f.world.issuerStart();
		await dialog.reaches('done');
		await f.tidy(tab);
	}],

	['when the browser closes the agent goes', async (f) => {
		await atPin(f);
		await f.browser.close();
		try {
			await f.leftReset();
		} finally {
			f.world.pin('good');
			await f.relaunch();
		}
	}],
];
