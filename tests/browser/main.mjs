// SPDX-License-Identifier: Apache-2.0
// node main.mjs chromium|firefox [FILTER]: all cases in one browser, as TAP.
import { cases as card } from './cases/card.mjs';
import { cases as elsewhere } from './cases/elsewhere.mjs';
import { cases as enrol } from './cases/enrol.mjs';
import { cases as hostile, Hostile } from './cases/hostile.mjs';
import { cases as manage } from './cases/manage.mjs';
import { cases as missing } from './cases/missing.mjs';
import { cases as trouble } from './cases/trouble.mjs';
import { Chromium } from './lib/chromium.mjs';
import { Firefox } from './lib/firefox.mjs';
import { Flow } from './lib/flow.mjs';
import { finish, note, ok } from './lib/tap.mjs';
import { World } from './lib/world.mjs';

const Browser = { chromium: Chromium, firefox: Firefox }[process.argv[2]];
const filter = new RegExp(process.argv[3] ?? '');
const world = await World.make();
const hostilePages = new Hostile();
await hostilePages.start();
let browser = null;
process.on('SIGTERM', async () => {
	await browser?.close().catch(() => {});
	await world.end();
	process.exit(143);
});

try {
	browser = await Browser.launch(world);
	const flow = new Flow(world, browser, Browser.label);
	flow.hostile = hostilePages;
	flow.relaunch = async () => {
		browser = flow.browser = await Browser.launch(world);
	};
	for (const [sentence, f] of [...enrol, ...manage, ...missing, ...card,
		...elsewhere, ...trouble, ...hostile]) {
		if (!filter.test(sentence))
			continue;
		const begin = Date.now();
		if (!await ok(`${Browser.label}: ${sentence}`, () => f(flow))) {
			await world.pin('good');
			await browser.closeAll();
		}
		note(`${Date.now() - begin} ms`);
	}
} finally {
	await browser?.close().catch(() => {});
	hostilePages.end();
	await world.end();
}
finish();
