// SPDX-License-Identifier: Apache-2.0
// node installed.mjs TREE: the files of the package cardwright-agent lie over
// the system's own, for the eyes of two browsers: nobody loads an extension or
// writes a manifest, and a card is enrolled.
import { Chromium } from './lib/chromium.mjs';
import { Firefox } from './lib/firefox.mjs';
import { Flow } from './lib/flow.mjs';
import { finish, ok } from './lib/tap.mjs';
import { World } from './lib/world.mjs';

const tree = process.argv[2];
const world = await World.make();
try {
	world.uninstall();
	for (const Browser of [Chromium, Firefox])
		await ok(`${Browser.label} has extension and agent from the package`,
			async () => {
				const browser = await Browser.launch(world,
					// What the distribution says of it counts.
					{ tree, extension: null,
						prefs: { 'extensions.autoDisableScopes': undefined } });
				const flow = new Flow(world, browser, Browser.label);
				await world.cardIn(0);
				const tab = await flow.invited();
				const dialog = await flow.begin(tab);
				await dialog.agree();
				await dialog.reaches('done');
				await flow.tidy(tab);
				await browser.close();
			});
} finally {
	await world.end();
}
finish();
