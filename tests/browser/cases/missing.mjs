// SPDX-License-Identifier: Apache-2.0
// One piece is missing, and what is said about it.
import fs from 'node:fs';
import path from 'node:path';
import { same } from '../lib/tap.mjs';

// [sentence, code, what the dialog says, break, mend]
const pieces = [
	['without the agent\'s manifest', 'AGENT_MISSING', /not installed/,
		(w) => w.manifests().forEach((m) => fs.rmSync(m))],
	['without the agent itself', 'AGENT_MISSING', /not installed/,
		(w) => w.replaceAgent('/nonexistent/cardwright-agent')],
	['with an agent for another extension',
		{ Chromium: 'AGENT_FORBIDDEN', Firefox: 'AGENT_MISSING' }, /agent/,
		(w) => w.manifests().forEach((m) => fs.writeFileSync(m,
			fs.readFileSync(m, 'utf8').replace('://edce', '://aaaa')
				.replace('cardwright@', 'somebody@')))],
	['with an agent that ends at once', 'AGENT_CRASHED', /unexpectedly/,
		(w) => w.replaceAgent('/bin/false')],
	['with an agent that talks nonsense', 'AGENT_CRASHED', /unexpectedly/,
		(w) => w.replaceAgent(script(w, 'printf "this is no frame at all"'))],
	['with an agent of another version', 'AGENT_OLD', /versions/,
		(w) => w.replaceAgent(script(w, frame('{"type":"hello","version":2}') +
			'\nread -r _'))],
	['without the smart card service', 'PCSCD_OFF', /pcscd/,
		(w) => w.readerStop(), async (w) => {
			await w.readerStart();
			await w.cardIn(0);
		}],
	['without a pinentry', 'NO_DIALOG', /PIN/,
		(w) => w.pinentryAway(), (w) => w.pinentryBack()],
];

export function script(w, text) {
	const file = path.join(w.home, 'agent.sh');
	fs.writeFileSync(file, '#!/bin/sh\n' + text + '\n', { mode: 0o755 });
	return file;
}

function frame(json) {
	return `printf '\\${json.length.toString(8)}\\000\\000\\000%s' '${json}'`;
}

// The run fails before or after the question, by what is missing.
async function askAll(f, tab) {
	const dialog = await f.ask(tab);
	if (await dialog.reaches('consent', 'failed') === 'consent')
		await dialog.agree();
	return dialog;
}

export const cases = [
	...pieces.map(([sentence, code, says, away, back]) => [
		`${sentence} it says so`, async (f) => {
			const want = code[f.kind] ?? code;
			await f.world.cardOut(0);
			await f.world.cardIn(0);
			const tab = await f.invited();
			try {
				await away(f.world);
				const dialog = await askAll(f, tab);
				await f.fails(tab, dialog, want);
				await dialog.says('#failed-what', says);
				const todo = await dialog.text('#failed-todo');
				if (todo.length < 10)
					throw new Error('no next step: ' + todo);
				await dialog.shot('missing-' + sentence.replace(/\W+/g, '-'));
			} finally {
				await back?.(f.world);
				f.world.install();
				await f.tidy(tab);
			}
		}]),

	['without the issuer it says so', async (f) => {
		const tab = await f.invited();
		await f.world.issuerStop();
		try {
			const dialog = await f.ask(tab);
			await f.fails(tab, dialog, 'ISSUER_UNREACHABLE');
			await dialog.shot('missing-issuer');
		} finally {
			await f.world.issuerStart();
			await f.tidy(tab);
		}
	}],

	['an invitation that is used up says so', async (f) => {
		const tab = await f.invited();
		await tab.eval('window.intentUrl = "/nowhere"');
		const dialog = await f.ask(tab);
		await f.fails(tab, dialog, 'ISSUER_ERROR');
		same(await dialog.text('#failed-number'), 'HTTP status 404');
		await f.tidy(tab);
	}],
];
