// SPDX-License-Identifier: Apache-2.0
// Firefox, headless, with the extension installed for the time of the test.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Marionette } from './marionette.mjs';
import { managed } from './managed.mjs';
import { Hopeless, until } from './wait.mjs';

const PREFS = {
	'app.normandy.enabled': false,
	'app.update.disabledForTesting': true,
	'browser.shell.checkDefaultBrowser': false,
	'browser.startup.homepage_override.mstone': 'ignore',
	'browser.startup.page': 0,
	'browser.tabs.warnOnClose': false,
	'browser.aboutwelcome.enabled': false,
	'datareporting.policy.dataSubmissionEnabled': false,
	'dom.ipc.processPrelaunch.enabled': false,
	'extensions.autoDisableScopes': 0,
	'extensions.getAddons.cache.enabled': false,
	'extensions.update.enabled': false,
	'network.captive-portal-service.enabled': false,
	'network.connectivity-service.enabled': false,
	'services.settings.server': 'data:,#remote-settings-dummy/v1',
	'browser.safebrowsing.malware.enabled': false,
	'browser.safebrowsing.phishing.enabled': false,
	'toolkit.telemetry.reportingpolicy.firstRun': false,
	'security.sandbox.content.level': 0,
};
const DIALOG = '/dialog/dialog.html';

// For a window that has closed by itself, when it is looked at or closed.
function unlessGone(e) {
	if (e.code !== 'no such window')
		throw e;
}

// One window handle; commands go to it by switching first, one at a time.
class Tab {
	constructor(browser, handle) {
		this.browser = browser;
		this.handle = handle;
		this.isClosed = false;
	}

	// Who only looks takes no focus: Firefox waits for it without an end.
	#on(f, focus = false) {
		return this.browser.queue(async (m) => {
			await m.send('WebDriver:SwitchToWindow', { handle: this.handle,
				focus });
			return f(m);
		});
	}

	#inFront(f) {
		return this.#on(f, true);
	}

	goto(url) {
		return this.#inFront((m) => m.send('WebDriver:Navigate', { url }));
	}

	eval(script) {
		return this.#on(async (m) => (await m.send(
			'WebDriver:ExecuteAsyncScript', {
				script: 'const [done] = arguments; (async () => {' + script +
					'})().then((v) => done({ v }), (e) => done({ e: ' +
					'String(e) }))',
				args: [], sandbox: null, newSandbox: false, scriptTimeout: 25000,
			})).value).then((r) => {
			if (r === null)
				throw new Error('the page has gone');
			if (r.e !== undefined)
				throw new Error(r.e);
			return r.v;
		});
	}

	click(selector) {
		return this.#inFront(async (m) => {
			const { value } = await m.send('WebDriver:FindElement',
				{ using: 'css selector', value: selector });
			// (It may close the window.)
			await m.send('WebDriver:ElementClick', {
				id: Object.values(value)[0],
			}).catch(unlessGone);
		});
	}

	press(key) {
		const code = { Escape: '\ue00c', Enter: '\ue007', Tab: '\ue004',
			ArrowDown: '\ue015' }[key];
		return this.#inFront((m) => m.send('WebDriver:PerformActions', { actions: [{
			type: 'key', id: 'keyboard',
			actions: [{ type: 'keyDown', value: code },
				{ type: 'keyUp', value: code }],
		}] }).catch(unlessGone));
	}

	url() {
		return this.#on(async (m) =>
			(await m.send('WebDriver:GetCurrentURL')).value);
	}

	shot(file) {
		return this.#on(async (m) => {
			const { value } = await m.send('WebDriver:TakeScreenshot',
				{ full: false });
			fs.writeFileSync(file, Buffer.from(value, 'base64'));
		});
	}

	async close() {
		this.isClosed = true;
		await this.#on((m) => m.send('WebDriver:CloseWindow'))
			.catch(unlessGone);
	}

	// Of the window, which Firefox keeps at 450 pixels or more.
	size(width, height) {
		return this.#on((m) => m.send('WebDriver:SetWindowRect',
			{ x: null, y: null, width, height }));
	}

	// "light" or "dark", for all pages from now on.
	scheme(name) {
		return this.browser.chrome('Services.prefs.setIntPref("layout.css.' +
			'prefers-color-scheme.content-override", arguments[0] ? 0 : 1)',
		name === 'dark');
	}
}

export class Firefox {
	static label = 'Firefox';
	#m;
	#process;
	#last = Promise.resolve();
	#first;
	#world;

	static async launch(world, options = {}) {
		const b = new Firefox();
		b.#world = world;
		try {
			await b.#start(world, options);
		} catch (e) {
			await b.close();
			throw e;
		}
		return b;
	}

	async #start(world, options) {
		const profile = path.join(world.home, 'firefox');
		if (!fs.existsSync(profile)) {
			fs.mkdirSync(profile, { recursive: true });
			execFileSync('certutil', ['-N', '-d', 'sql:' + profile,
				'--empty-password']);
			execFileSync('certutil', ['-A', '-d', 'sql:' + profile, '-n', 'test',
				'-t', 'C,,', '-i', world.root]);
		}
		const active = path.join(profile, 'MarionetteActivePort');
		fs.rmSync(active, { force: true });
		const prefs = { ...PREFS, ...options.prefs, 'marionette.port': 0,
			'intl.locale.requested': options.locale ?? 'en-US',
			'intl.accept_languages': options.locale ?? 'en-US' };
		fs.writeFileSync(path.join(profile, 'user.js'),
			Object.entries(prefs).filter(([, v]) => v !== undefined).map(([k, v]) =>
				`user_pref(${JSON.stringify(k)}, ${JSON.stringify(v)});\n`)
				.join(''));
		const log = fs.openSync(path.join(world.home, 'firefox.log'), 'a');
		const program = options.tree !== undefined ?
			world.browserOver('firefox-esr', options.tree) :
			options.policies === undefined ? 'firefox-esr' :
				managed(world, 'firefox-esr', { policies: options.policies });
		this.#process = spawn(program, [
			...(options.headed ? [] : ['--headless']), '--marionette',
			'-remote-allow-system-access', '--profile', profile, '--no-remote',
		], { env: { ...world.env, MOZ_HEADLESS_WIDTH: '1100',
			MOZ_HEADLESS_HEIGHT: '900' }, stdio: ['ignore', log, log] });
		this.#world.opened(this);
		// (What the file says may be half of the number.)
		this.#m = await until('Firefox listens', () => {
			if (this.#hasEnded())
				throw new Hopeless('Firefox has ended');
			return Marionette.connect(Number(fs.readFileSync(active, 'utf8')));
		}, 120000);
		await this.#m.send('WebDriver:NewSession', { capabilities: {
			alwaysMatch: { pageLoadStrategy: 'normal',
				timeouts: { pageLoad: 120000 },
				// Else a look at the page may cancel a question for the PIN.
				unhandledPromptBehavior: 'ignore' } } });
		[this.#first] = await this.#m.send('WebDriver:GetWindowHandles');
		const extension = options.extension === undefined ? world.extension :
			options.extension;
		if (extension !== null)
			await this.#m.send('Addon:Install', { path: extension,
				temporary: true });
	}

	queue(f) {
		const next = this.#last.then(() => f(this.#m));
		this.#last = next.catch(() => {});
		return next;
	}

	// A script in the browser's own scope.
	chrome(script, ...args) {
		return this.queue(async (m) => {
			await m.send('WebDriver:SwitchToWindow', { handle: this.#first,
				focus: false });
			await m.send('Marionette:SetContext', { value: 'chrome' });
			try {
				return (await m.send('WebDriver:ExecuteScript',
					{ script, args })).value;
			} finally {
				await m.send('Marionette:SetContext', { value: 'content' });
			}
		});
	}

	async tab() {
		const { handle } = await this.queue(async (m) => {
			// It opens beside the present one, which may be closed.
			await m.send('WebDriver:SwitchToWindow', { handle: this.#first,
				focus: true });
			return m.send('WebDriver:NewWindow', { type: 'tab', focus: true });
		});
		return new Tab(this, handle);
	}

	// Handles of the extension's windows.
	#dialogs() {
		return this.queue(async (m) => {
			const found = [];
			for (const handle of await m.send('WebDriver:GetWindowHandles')) {
				const { value } = await m.send('WebDriver:SwitchToWindow',
					{ handle, focus: false })
					.then(() => m.send('WebDriver:GetCurrentURL'))
					.catch((e) => unlessGone(e) ?? { value: '' });
				if (value.startsWith('moz-extension://') &&
				    value.includes(DIALOG))
					found.push(handle);
			}
			return found;
		});
	}

	async dialog() {
		return new Tab(this, await until('the dialog opens', async () =>
			(await this.#dialogs())[0]));
	}

	async noDialog() {
		return (await this.#dialogs()).length === 0;
	}

	async closeDialogs() {
		for (const handle of await this.#dialogs())
			await new Tab(this, handle).close();
	}

	async closeAll() {
		const all = await this.queue((m) => m.send('WebDriver:GetWindowHandles'));
		for (const handle of all.filter((h) => h !== this.#first))
			await new Tab(this, handle).close();
	}

	#hasEnded() {
		return this.#process.exitCode !== null ||
			this.#process.signalCode !== null;
	}

	async close() {
		this.#world.closed(this);
		if (this.#process === undefined || this.#hasEnded())
			return;
		const ended = once(this.#process, 'exit');
		if (this.#m === undefined)
			this.#process.kill();
		else
			await this.#m.send('Marionette:Quit', { flags: ['eForceQuit'] })
				.catch(() => this.#process.kill());
		await ended;
		this.#m?.close();
	}
}
