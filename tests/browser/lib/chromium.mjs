// SPDX-License-Identifier: Apache-2.0
// Chromium, headless, with the extension loaded and a profile of its own in the
// person's usual place, so that "cardwright-agent install --user" is found.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { managed } from './managed.mjs';
import { until } from './wait.mjs';

const FLAGS = [
	'--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update',
	'--disable-sync', '--disable-dev-shm-usage', '--no-default-browser-check',
	'--password-store=basic', '--screen-info={1600x1200}',
];
const START_MS = 120000; // and everything else that the driver waits for
const EXTENSION = 'chrome-extension://edceamngaogbiecbdhocffodbdaieojc/';

// A page or the dialog, in words that both browsers know.
class Tab {
	constructor(page) {
		this.page = page;
	}

	// A connection that Chromium has opened ahead may be gone when it is used;
	// a person would press reload.
	async goto(url) {
		const go = () => this.page.goto(url, { waitUntil: 'load' });
		return go().catch((error) => {
			if (!error.message.includes('ERR_SOCKET_NOT_CONNECTED'))
				throw error;
			return go();
		});
	}

	eval(script) {
		return this.page.evaluate('(async () => {' + script + '})()');
	}

	click(selector) {
		return this.#act(() => this.page.click(selector));
	}

	press(key) {
		return this.#act(() => this.page.keyboard.press(key));
	}

	// It may close the window before the driver has said that it is done.
	async #act(f) {
		if (this.page.isClosed())
			throw new Error('the window has closed');
		await f().catch((error) => {
			if (!error.message.includes('has been closed'))
				throw error;
		});
	}

	async url() {
		return this.page.url();
	}

	shot(file) {
		return this.page.screenshot({ path: file });
	}

	close() {
		return this.page.close();
	}

	get isClosed() {
		return this.page.isClosed();
	}

	size(width, height) {
		return this.page.setViewportSize({ width, height });
	}

	scheme(colorScheme) {
		return this.page.emulateMedia({ colorScheme });
	}
}

export class Chromium {
	static label = 'Chromium';
	#world;

	// world: home, env, root (PEM file); options: extension (folder or null),
	// locale, headed, policies, module (PKCS#11), tree (of a package).
	static async launch(world, options = {}) {
		const b = new Chromium();
		const nss = path.join(world.home, '.pki/nssdb');
		if (!fs.existsSync(nss)) {
			fs.mkdirSync(nss, { recursive: true });
			execFileSync('certutil', ['-N', '-d', 'sql:' + nss,
				'--empty-password']);
			execFileSync('certutil', ['-A', '-d', 'sql:' + nss, '-n', 'test',
				'-t', 'C,,', '-i', world.root]);
			if (options.module)
				execFileSync('modutil', ['-dbdir', 'sql:' + nss, '-force',
					'-add', 'OpenSC', '-libfile', options.module],
				{ stdio: 'ignore', env: world.env });
		}
		const extension = options.extension === undefined ? world.extension :
			options.extension;
		const locale = options.locale ?? 'en-US';
		b.context = await chromium.launchPersistentContext(
			path.join(world.home, '.config/chromium'), {
				executablePath: options.tree !== undefined ?
					world.browserOver('chromium', options.tree) :
					options.policies === undefined ? '/usr/bin/chromium' :
						managed(world, 'chromium', options.policies),
				headless: false,
				args: [
					...FLAGS, '--lang=' + locale,
					...(options.headed ? [] : ['--headless=new']),
					...(extension === null ? [] :
						['--load-extension=' + extension,
							'--disable-extensions-except=' + extension]),
				],
				ignoreDefaultArgs: ['--disable-extensions',
					'--disable-component-extensions-with-background-pages',
					'--enable-automation'],
				env: { ...world.env, LANGUAGE: locale.replace('-', '_'),
					CHROME_LOG_FILE: path.join(world.home, 'chromium.log') },
				viewport: null,
				timeout: START_MS,
			});
		b.#world = world;
		world.opened(b);
		b.context.setDefaultTimeout(START_MS);
		return b;
	}

	async tab() {
		return new Tab(await this.context.newPage());
	}

	#dialogs() {
		return this.context.pages().filter((p) =>
			p.url().startsWith(EXTENSION + 'dialog/'));
	}

	// The dialog window once it is there.
	async dialog() {
		const page = await until('the dialog opens', () => this.#dialogs()[0]);
		return new Tab(page);
	}

	async noDialog() {
		return this.#dialogs().length === 0;
	}

	async closeDialogs() {
		for (const page of this.#dialogs())
			await page.close();
	}

	async closeAll() {
		for (const page of this.context.pages().slice(1))
			await page.close();
	}

	async close() {
		this.#world.closed(this);
		await this.context.close();
	}
}
