// SPDX-License-Identifier: Apache-2.0
// node pages.mjs [FILTER]: the holder's pages, as TAP.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { keyboard } from './cases/pages-keyboard.mjs';
import { RUN, STATUS, script } from './lib/answers.mjs';
import { Firefox } from './lib/firefox.mjs';
import { finish, note, ok } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const LANGUAGES = { en: 'en-GB', de: 'de-AT', fr: 'fr-CH', es: 'es-MX' };
const AXE = fs.readFileSync(new URL('node_modules/axe-core/axe.min.js',
	import.meta.url), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
	'best-practice'];

// name: [status, run, what to wait for]; run is given: Begin is clicked
const STATES = {
	'enroll-extension': ['none', null, '#missing:not([hidden])'],
	'enroll-agent': ['agent', null, '#missing:not([hidden])'],
	'enroll-service': ['pcscd', null, '#missing:not([hidden])'],
	'enroll-reader': ['reader', null, '#missing:not([hidden])'],
	'enroll-card': ['card', null, '#missing:not([hidden])'],
	'enroll-ready': ['ready', null, '[data-check=card].ready'],
	'enroll-running': ['ready', 'running', '[data-phase=keys][aria-current]'],
	'enroll-waiting': ['ready', 'waiting', '#wait:not([hidden])'],
	'failed-card': ['ready', 'removed', '#failed:not([hidden])'],
	'failed-issuer': ['ready', 'issuer', '#failed:not([hidden])'],
};

// A person who holds an invitation, with a browser of their own.
class Visit {
	constructor(world, browser) {
		this.world = world;
		this.browser = browser;
		this.wrong = [];
	}

	async open(language, { status = 'none', run = null, js = true } = {}) {
		this.context = await this.browser.newContext({
			locale: LANGUAGES[language], javaScriptEnabled: js,
			viewport: { width: 1200, height: 800 }, reducedMotion: 'reduce',
			ignoreHTTPSErrors: true });
		if (js)
			await this.context.addInitScript(
				script(STATUS[status], RUN[run] ?? null));
		this.context.setDefaultTimeout(120000);
		this.page = await this.context.newPage();
		this.page.on('pageerror', (e) => this.wrong.push(String(e)));
		this.page.on('console', (m) => {
			if (m.type() === 'error' && !/status of 4\d\d/.test(m.text()))
				this.wrong.push(m.text());
		});
		return this;
	}

	async enter() {
		await this.page.goto(this.world.link);
		await this.page.click('button[type=submit]');
		await this.page.waitForURL('**/enroll');
	}

	async state(language, name) {
		const [status, run, seen] = STATES[name];
		await this.open(language, { status, run });
		await this.enter();
		if (run !== null) {
			await this.page.waitForSelector('[data-check=card].ready');
			await this.page.click('#begin');
		}
		await this.page.waitForSelector(seen);
	}

	async axe(what) {
		const found = await this.page.evaluate(AXE +
			`; axe.run(document, { runOnly: ${JSON.stringify(RULES)} })
			.then((r) => r.violations.map((v) => v.id + ': ' +
				v.nodes.map((n) => n.target + ' ' + n.failureSummary)))`);
		this.wrong.push(...found.map((v) => what + ' ' + v));
	}

	// Wide and light, then narrow and dark: pictures, and what axe says.
	async look(name, language) {
		const file = (kind) => path.join(this.world.shots,
			`page-${name}-${language}-${kind}.png`);

		// What axe looks at is the same in every language.
		const axe = language === 'en' ? (what) => this.axe(what) : () => {};

		await this.page.screenshot({ path: file('light'), fullPage: true });
		await axe('light');
		await this.page.emulateMedia({ colorScheme: 'dark' });
		await this.page.setViewportSize({ width: 320, height: 640 });
		await this.page.screenshot({ path: file('dark-phone'),
			fullPage: true });
		await axe('dark');
		const width = await this.page.evaluate(
			'document.documentElement.scrollWidth');
		if (width > 320)
			this.wrong.push(`${name} is ${width} wide on a phone`);
		const lang = await this.page.evaluate('document.documentElement.lang');
		if (lang !== language)
			this.wrong.push(`${name} is in ${lang}`);
	}

	async close() {
		await this.context.close();
		if (this.wrong.length > 0)
			throw new Error(this.wrong.join('\n'));
	}
}

const filter = process.argv[2] ?? '';
const world = await World.make();
world.link = world.invite();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
	timeout: 120000,
	env: world.env });
world.opened(browser);

async function check(sentence, f) {
	if (!sentence.includes(filter))
		return;
	const begin = Date.now();
	await ok(sentence, f);
	note(`${Date.now() - begin} ms`);
}

async function visit(f) {
	const v = new Visit(world, browser);
	try {
		await f(v);
	} finally {
		await v.close();
	}
}

// The card is provisioned by the agent itself, as without an extension.
async function enrol(link) {
	const pins = path.join(world.work, 'pins');
	fs.writeFileSync(pins, '271828\n31415926\n', { mode: 0o600 });
	const fd = fs.openSync(pins, 'r');
	execFileSync(path.join(world.build, 'cardwright-agent'), ['enroll', link,
		'--yes', '--pin-fd', '3', '--ca', world.root],
	{ env: world.env, stdio: ['ignore', 'pipe', 'pipe', fd] });
	fs.closeSync(fd);
}

async function plainPages(language) {
	await visit(async (v) => {
		await v.open(language);
		await v.page.goto(world.link);
		await v.look('invitation', language);
	});
	await visit(async (v) => {
		await v.open(language);
		await v.enter();
		await v.page.goto(world.url + '/done');
		await v.look('pending', language);
	});
	await visit(async (v) => {
		await v.open(language);
		await v.page.goto(world.url + '/i/AAAA');
		await v.look('error', language);
	});
	await visit(async (v) => {
		await v.open(language, { js: false });
		await v.enter();
		await v.page.screenshot({ fullPage: true, path: path.join(world.shots,
			`page-enroll-noscript-${language}-light.png`) });
		const text = await v.page.innerText('main');
		if (!text.includes('cardwright-agent enroll') ||
		    await v.page.isVisible('#begin'))
			throw new Error('without JavaScript: ' + text);
	});
}

async function confirmed() {
	const link = world.invite();
	await world.cardIn();
	const visits = [];
	for (const language of Object.keys(LANGUAGES)) {
		const v = await new Visit({ ...world, link, shots: world.shots },
			browser).open(language);
		await v.enter();
		visits.push([v, language]);
	}
	await enrol(link);
	for (const [v, language] of visits) {
		await v.page.goto(world.url + '/done');
		const text = await v.page.innerText('main');
		for (const words of ['Ada Lovelace', 'Analytical Engines', 'PIV'])
			if (!text.includes(words))
				throw new Error(`no ${words} in: ${text}`);
		await v.look('done', language);
		await v.close();
	}
	await world.cardOut();
}

// A test that cannot fail is none: a page that is made bad on purpose.
async function faults() {
	const v = await new Visit(world, browser).open('en');
	await v.page.goto(world.link);
	await v.page.evaluate(`
		document.querySelector('button').textContent = '';
		document.querySelector('.small').setAttribute('style', 'color: #bbb');
		document.querySelector('h1').style.width = '700px';
		document.querySelector('.lead').style.color = '#ccc';
		document.documentElement.lang = 'fr';`);
	await v.look('fault', 'en');
	const wrong = v.wrong.join(' ');
	await v.context.close();
	for (const file of fs.readdirSync(world.shots))
		if (file.startsWith('page-fault-'))
			fs.rmSync(path.join(world.shots, file));
	for (const word of ['button-name', 'color-contrast', 'wide on a phone',
		'is in fr', 'Content Security Policy'])
		if (!wrong.includes(word))
			throw new Error(`${word} was not found in: ${wrong}`);
}

async function inFirefox(language) {
	const firefox = await Firefox.launch(world,
		{ extension: null, locale: LANGUAGES[language] });
	await lookThere(firefox, language).finally(() => firefox.close());
}

async function lookThere(firefox, language) {
	const tab = await firefox.tab();
	const shot = async (name) => {
		for (const [kind, scheme, width] of [['light', 'light', 1100],
			['dark-phone', 'dark', 450]]) {
			await tab.scheme(scheme);
			await tab.size(width, 900);
			await until('the colours are ' + scheme, () => tab.eval(`return (
				matchMedia('(prefers-color-scheme: ${scheme})').matches)`));
			await tab.shot(path.join(world.shots,
				`page-${name}-${language}-firefox-${kind}.png`));
		}
	};
	const sees = (selector) => until(selector, () => tab.eval(
		`return document.querySelector(${JSON.stringify(selector)}) !== null`));

	await tab.goto(world.link);
	await shot('invitation');
	await tab.click('button[type=submit]');
	await sees('#missing:not([hidden])');
	await shot('enroll-extension');
	// From here on by itself, without a reload.
	await tab.eval('window.same = true;' + script(STATUS.ready, RUN.waiting));
	await sees('[data-check=card].ready');
	await shot('enroll-ready');
	await tab.click('#begin');
	await sees('#wait:not([hidden])');
	await shot('enroll-waiting');
	await tab.click('#cancel');
	await sees('#failed:not([hidden])');
	await shot('failed-cancelled');
	// In the dark still, as the last picture was.
	const got = await tab.eval(AXE + `;
		const r = await axe.run(document,
			{ runOnly: ${JSON.stringify(RULES)} });
		return { lang: document.documentElement.lang, same: window.same,
			wrong: r.violations.map((v) => v.id) };`);
	if (got.lang !== language || got.same !== true || got.wrong.length > 0)
		throw new Error(JSON.stringify(got));
}

try {
	for (const language of Object.keys(LANGUAGES)) {
		for (const name of Object.keys(STATES))
			await check(`${language}: ${name} is accessible, fits a phone, ` +
				'breaks no policy', () => visit(async (v) => {
				await v.state(language, name);
				await v.look(name, language);
			}));
		await check(`${language}: the pages that need no JavaScript are too`,
			() => plainPages(language));
	}
	await check('what is wrong on a page is found by these tests', faults);
	await check('the last page shows the certificate that the card confirmed',
		confirmed);
	for (const [sentence, state, f] of keyboard)
		await check(sentence, () => visit(async (v) => {
			await v.open('en', state);
			await f(v);
		}));
	for (const language of Object.keys(LANGUAGES))
		await check(`${language}: Firefox shows them, and goes on by itself ` +
			'when what was missing comes', () => inFirefox(language));
} finally {
	await world.end();
}
finish();
