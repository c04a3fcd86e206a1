// SPDX-License-Identifier: Apache-2.0
// node pinentry.mjs: one enrolment in a browser with windows, where PIN and PUK
// are typed into the real pinentry by a keyboard (Xvfb and xdotool).
import { Chromium } from './lib/chromium.mjs';
import { Flow } from './lib/flow.mjs';
import { Screen } from './lib/screen.mjs';
import { finish, ok } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const PIN = '271828';
const PUK = '31415926';

const world = await World.make();
const screen = await Screen.open(world).catch((e) =>
	world.end().finally(() => { throw e; }));
world.env.CARDWRIGHT_PINENTRY = 'pinentry-gtk-2';

const xdo = (...args) => screen.xdo(...args);
const picture = (name) => {
	xdo('mousemove', 1069, 899); // out of the picture
	screen.picture('windows-' + name);
};

// The windows of pinentries: [window, process].
function windows() {
	return screen.windows('--class', 'pinentry')
		.map((id) => [id, xdo('getwindowpid', id)]);
}

// That of another pinentry than `last`: a window's number may come again.
function entry(last) {
	return until('the PIN window opens', () =>
		windows().find(([, pid]) => pid !== last?.[1]));
}

// New values are typed twice.
async function type([id, pid], value) {
	// The server refuses it until the window is viewable.
	await until('the PIN window has the focus', () => {
		xdo('windowfocus', id);
		return xdo('getwindowfocus', '-f') === id;
	});
	xdo('type', '--window', id, '--delay', '20', value);
	xdo('key', '--window', id, 'Tab', 'Tab'); // over "make it visible"
	xdo('type', '--window', id, '--delay', '20', value);
	picture(value === PIN ? 'pin' : 'puk');
	// Not too fast: the next pinentry's window may have the same number.
	let last = 0;
	await until('the PIN window takes it', () => {
		if (!windows().some((w) => w[1] === pid))
			return true;
		if (Date.now() - last > 3000) {
			xdo('key', '--window', id, 'Return');
			last = Date.now();
		}
		return false;
	});
}

try {
	await world.cardIn(0);
	const browser = await Chromium.launch(world, { headed: true });
	const flow = new Flow(world, browser, 'Windows');
	await ok('PIN and PUK are typed into the real pinentry, and the card is ready',
		async () => {
			const tab = await flow.invited();
			const dialog = await flow.begin(tab);
			await dialog.reaches('consent');
			await dialog.armed();
			await dialog.painted();
			picture('consent');
			await dialog.agree();
			const first = await entry(null);
			await dialog.says('#wait', /Enter the PIN/);
			await type(first, PIN);
			await type(await entry(first), PUK);
			await dialog.reaches('done');
			await dialog.painted();
			picture('done');
			await flow.tidy(tab);
		});
	await ok('its key is used with that PIN', () =>
		world.run('pkcs11-tool', '--module', world.opensc(), '--login', '--pin', PIN,
		'--list-objects', '--type', 'privkey'));
} finally {
	await world.end();
}
finish();
