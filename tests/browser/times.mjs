// SPDX-License-Identifier: Apache-2.0
// node times.mjs chromium|firefox [RUNS]: enrolments by the page's own button,
// one after the other, each with a card that nobody has used. Machine time is
// from the click to the page that says "done", less the half second in which
// Agree does not answer: the pinentry answers at once, and so does the person.
import fs from 'node:fs';
import path from 'node:path';
import { Chromium } from './lib/chromium.mjs';
import { Firefox } from './lib/firefox.mjs';
import { Flow } from './lib/flow.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const ARM_MS = 500; // agent/extension/dialog/dialog.js
const kind = process.argv[2];
const runs = Number(process.argv[3] ?? 5);
const world = await World.make();
const times = [];

try {
	const browser = await { chromium: Chromium, firefox: Firefox }[kind]
		.launch(world);
	const flow = new Flow(world, browser, kind);
	for (let i = 0; i < runs; i++) {
		await world.cardIn(0);
		const tab = await flow.invited();
		await flow.ready(tab);
		const begin = performance.now();
		await tab.click('#begin');
		const dialog = await flow.dialog();
		await dialog.agree();
		await until('the page says that it is done', async () =>
			(await tab.url()).endsWith('/done'));
		times.push(performance.now() - begin - ARM_MS);
		await dialog.reaches('done');
		await flow.tidy(tab);
		await world.cardOut(0);
	}
} finally {
	await world.end();
}
times.sort((a, b) => a - b);
const median = Math.round(times[Math.floor(times.length / 2)]);
const slowest = Math.round(times.at(-1));
console.log(`${times.length} of ${runs} enrolments`);
const figures = { [`browser_enrolment_${kind}_median`]: median,
	[`browser_enrolment_${kind}_slowest`]: slowest };
for (const [name, value] of Object.entries(figures))
	console.log(`${name} ${value} ms`);

// Beside the other figures, if they have been measured.
const file = path.join(world.build, 'bench.json');
if (fs.existsSync(file) && process.env.CW_BENCH) {
	const all = JSON.parse(fs.readFileSync(file, 'utf8'));
	for (const [name, value] of Object.entries(figures))
		if (Array.isArray(all))
			all.push({ name, value, unit: 'ms' });
		else
			all[name] = value;
	fs.writeFileSync(file, JSON.stringify(all, null, 1) + '\n');
}
if (median > 3000) {
	console.log('too slow: 3000 ms are allowed');
	process.exit(1);
}
