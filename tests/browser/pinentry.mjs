// SPDX-License-Identifier: Apache-2.0
// node pinentry.mjs: one enrolment in a browser with windows, where PIN and PUK
// are typed into the real pinentry by a keyboard (Xvfb and xdotool).
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Chromium } from './lib/chromium.mjs';
import { Flow } from './lib/flow.mjs';
import { finish, ok } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';


const PIN = '271828';
const PUK = '31415926';

const world = await World.make();
const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1070x900x24',
	'-nolisten', 'tcp', '-fbdir', world.work], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
const ended = once(screen, 'exit');
const [number] = await once(screen.stdio[3], 'data');
Object.assign(world.env, { DISPLAY: ':' + number.toString().trim(),
	CARDWRIGHT_PINENTRY: 'pinentry-gtk-2', LC_ALL: 'C.UTF-8' });
delete world.env.WAYLAND_DISPLAY;

function xdo(...args) {
	return execFileSync('xdotool', args, { env: world.env, encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

// The windows of pinentries: [window, process].
function windows() {
	let found = '';
	try {
		found = xdo('search', '--onlyvisible', '--class', 'pinentry');
	} catch {
		// There is none.
	}
	return found.split('\n').filter((id) => id !== '')
		.map((id) => [id, xdo('getwindowpid', id)]);
}

// That of another pinentry than `last`: a window's number may come again.
function entry(last) {
	return until('the PIN window opens', () =>
		windows().find(([, pid]) => pid !== last?.[1]));
}

// The screen as it is, in the format of xwd.
function picture(name) {
	fs.copyFileSync(path.join(world.work, 'Xvfb_screen0'),
		path.join(world.shots, name + '.xwd'));
}

// New values are typed twice.
async function type([id, pid], value) {
	xdo('windowfocus', '--sync', id);
	xdo('type', '--window', id, '--delay', '20', value);
	xdo('key', '--window', id, 'Tab', 'Tab'); // over "make it visible"
	xdo('type', '--window', id, '--delay', '20', value);
	picture(value === PIN ? 'pin' : 'puk');
	await until('the PIN window takes it', () => {
		if (!windows().some((w) => w[1] === pid))
			return true;
		xdo('key', '--window', id, 'Return');
		return false;
	});
}

let browser = null;
try {
	await world.cardIn(0);
	browser = await Chromium.launch(world, { headed: true });
	const flow = new Flow(world, browser, 'Windows');
	await ok('PIN and PUK are typed into the real pinentry, and the card is ready',
		async () => {
			const tab = await flow.invited();
			const dialog = await flow.begin(tab);
			await dialog.armed();
			picture('consent');
			await dialog.agree();
			const first = await entry(null);
			await dialog.says('#wait', /Enter the PIN/);
			await type(first, PIN);
			await type(await entry(first), PUK);
			await dialog.reaches('done').finally(() => picture('done'));
			await flow.tidy(tab);
		});
	await ok('its key is used with that PIN', () =>
		world.run('pkcs11-tool', '--module', world.run('find', '/usr/lib',
			'-name', 'opensc-pkcs11.so').split('\n')[0], '--login', '--pin', PIN,
		'--list-objects', '--type', 'privkey'));
} finally {
	await browser?.close();
	screen.kill();
	await ended;
	await world.end();
}
finish();
