// SPDX-License-Identifier: Apache-2.0
// node main.mjs chromium|firefox [FILTER]: all cases in one browser, as TAP.
import { cases as card } from './cases/card.mjs';
import { cases as elsewhere } from './cases/elsewhere.mjs';
import { cases as enrol } from './cases/enrol.mjs';
import { cases as hostile, Hostile } from './cases/hostile.mjs';
import { cases as left } from './cases/left.mjs';
import { cases as manage } from './cases/manage.mjs';
import { cases as missing } from './cases/missing.mjs';
import { cases as patience } from './cases/patience.mjs';
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
try {
	const browser = await Browser.launch(world);
	const flow = new Flow(world, browser, Browser.label);
	flow.hostile = hostilePages;
	flow.relaunch = async () => {
		flow.browser = await Browser.launch(world);
	};
	for (const [sentence, f] of [...enrol, ...manage, ...missing, ...card,
		...elsewhere, ...trouble, ...patience, ...left, ...hostile]) {
		if (!filter.test(sentence))
			continue;
		const begin = Date.now();
		if (!await ok(`${Browser.label}: ${sentence}`, () => f(flow))) {
			world.pin('good');
			await world.issuerStart();
			await flow.browser.closeAll().catch(async () => {
				await flow.browser.close().catch(() => {});
				await flow.relaunch();
			});
		}
		note(`${Date.now() - begin} ms`);
	}
} finally {
	hostilePages.end();
	await world.end();
}
finish();
