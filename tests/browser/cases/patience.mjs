// SPDX-License-Identifier: Apache-2.0
// Nobody puts in what is waited for: what the page is told in the end. The
// agent's manifest leads to a script that gives it three seconds, not minutes.
import path from 'node:path';
import { script } from './missing.mjs';

async function impatient(f, begin, end, [code, number, wait]) {
	const { world } = f;
	world.replaceAgent(script(world, 'exec ' +
		path.join(world.build, 'cardwright-agent') + ' native --wait 3'));
	const held = await begin(world);
	const tab = await f.invited();
	try {
		const dialog = await f.ask(tab);
		await dialog.agree();
		await f.fails(tab, dialog, code);
		const said = await tab.eval('return answers.map((a) => a.wait)');
		if (!said.includes(wait))
			throw new Error(`it did not wait for ${wait}: ${said}`);
		await dialog.says('#failed-number', new RegExp(`Error ${number}$`));
		await dialog.shot('gave-up-' + code);
	} finally {
		await end(world, held);
		world.install();
		await f.tidy(tab);
	}
}

export const cases = [
	['no reader for too long is told', (f) => impatient(f, async (w) => {
		await w.readerStop();
		await w.readerStart('none');
	}, async (w) => {
		await w.readerStop();
		await w.readerStart();
	}, ['NO_READER', 502, 'reader'])],

	['no card for too long is told', (f) => impatient(f,
		(w) => w.cardOut(0), () => {}, ['NO_CARD', 503, 'card'])],

	['a card of another kind for too long is told', (f) => impatient(f,
		(w) => w.chipIn(0), (w) => w.cardOut(0), ['WRONG_CARD', 504, 'card'])],

	['a card that stays in use is told', (f) => impatient(f, async (w) => {
		await w.cardIn(0);
		return w.hold();
	}, (w, holder) => w.release(holder), ['CARD_IN_USE', 505, 'card-in-use'])],
];
