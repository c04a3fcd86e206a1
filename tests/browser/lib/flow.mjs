// SPDX-License-Identifier: Apache-2.0
// What a person does, step by step, in either browser.
import path from 'node:path';
import { same } from './tap.mjs';
import { until } from './wait.mjs';

const LISTEN = `
	if (window.answers === undefined) {
		window.answers = [];
		addEventListener('message', (e) => {
			if (e.data?.from === 'extension')
				answers.push(e.data);
		});
	}
`;
export const OWN_BUTTON = LISTEN + `
	document.getElementById('own')?.remove();
	const b = document.createElement('button');
	b.id = 'own';
	b.textContent = 'Begin';
	b.onclick = () => postMessage({ cardwright: 1, id: 'own',
		type: 'provision', intent: window.intentUrl ?? '/intent' },
		location.origin);
	document.body.prepend(b);
	scrollTo(0, 0);
`;

export class Dialog {
	constructor(tab, flow) {
		this.tab = tab;
		this.flow = flow;
	}

	phase() {
		return this.tab.eval('return document.body.dataset.phase');
	}

	async reaches(...phases) {
		let last;
		return until('the dialog says ' + phases, async () => {
			last = await this.phase();
			return phases.includes(last) && last;
		}).catch(async (e) => {
			throw new Error(`${e.message}; it says ${last}: ` +
				await this.text('main').catch(() => '?'));
		});
	}

	text(selector) {
		return this.tab.eval(`return document.querySelector(
			${JSON.stringify(selector)}).innerText.trim()`);
	}

	async says(selector, pattern) {
		let last;
		await until(`${selector} says ${pattern}`, async () => {
			last = await this.text(selector);
			return pattern.test(last);
		}).catch((e) => {
			throw new Error(`${e.message}, but: ${last}`);
		});
	}

	armed(button = '#accept') {
		return until('it may be agreed to', () => this.tab.eval(
			`return !document.querySelector('${button}').disabled`));
	}

	async agree() {
		await this.reaches('consent');
		await this.armed();
		await this.tab.click('#accept');
	}

	refuse() {
		return this.tab.click('#refuse');
	}

	// Of a state that has settled: buttons armed, and on the screen.
	async shot(name) {
		if (['consent', 'unfinished'].includes(await this.phase()))
			await this.armed();
		await this.painted();
		await this.flow.shot(this.tab, 'dialog-' + name);
	}

	// (A window that is not seen has no frames.)
	painted() {
		return this.tab.eval(`await new Promise((done) => {
			requestAnimationFrame(() => requestAnimationFrame(done));
			setTimeout(done, 500);
		})`);
	}
}

export class Flow {
	constructor(world, browser, kind) {
		this.world = world;
		this.browser = browser;
		this.kind = kind;
	}

	shot(tab, name) {
		return tab.shot(path.join(this.world.shots,
			`${this.kind.toLowerCase()}-${name}.png`));
	}

	// The page that begins, as somebody gets there who has an invitation.
	async invited(...options) {
		const tab = await this.browser.tab();
		await tab.goto(this.world.invite(...options));
		await tab.click('button[type=submit]');
		await this.arrives(tab, '/enroll');
		await tab.eval(LISTEN);
		return tab;
	}

	// The address changes before there is a page to look at.
	arrives(tab, end) {
		return until('the page is there: ' + end, async () =>
			(await tab.url()).endsWith(end) &&
			await tab.eval('return document.readyState === "complete"'));
	}

	text(tab, selector) {
		return tab.eval(`return document.querySelector(
			${JSON.stringify(selector)}).innerText.trim()`);
	}

	ready(tab) {
		return until('the page offers to begin', () => tab.eval(
			'return !document.getElementById("start").hidden && ' +
			'(document.querySelectorAll(".checks .ready").length === 4 ' +
			'|| !document.getElementById("rest").hidden)'));
	}

	// The page's own button, once it thinks that all is there.
	async begin(tab) {
		await this.ready(tab);
		await tab.click('#begin');
		return this.dialog().catch(async (e) => {
			throw new Error(e.message + '; the page says: ' +
				await tab.eval('return document.querySelector("main").innerText')
				+ ' ' + JSON.stringify(await tab.eval('return answers')));
		});
	}

	// A click on a button of our own, which does what the page's does, whatever
	// the page thinks is missing.
	async ask(tab) {
		await tab.eval(OWN_BUTTON);
		await tab.click('#own');
		return this.dialog();
	}

	async dialog() {
		return new Dialog(await this.browser.dialog(), this);
	}

	// The extension's last word to the page.
	answer(tab) {
		return until('the page gets its answer', async () =>
			(await tab.eval('return window.answers ?? []'))
				.find((a) => a.type === 'result' || a.type === 'error'));
	}

	// The dialog has said why, and the page got the code.
	async fails(tab, dialog, code) {
		await dialog.reaches('failed');
		const answer = await this.answer(tab);
		if (answer.code !== code)
			throw new Error(`the page got ${JSON.stringify(answer)}`);
	}

	async untouched() {
		const cards = this.world.tool('cardwright-agent', 'cards');
		if (/9A/.test(cards))
			throw new Error('something was done to the card: ' + cards);
	}

	// As after a reset: no application is selected, so none has a PIN that was
	// verified, nor a session. (What VERIFY and STATUS would say of them.)
	async leftReset() {
		await this.noAgent();
		same(await this.world.asCardSays('00200080', '801a0000'), '6d00 6d00',
			'what the card says after the run');
	}

	// An agent that is killed while the card is free cannot reset it any more; it
	// keeps no PIN verified over that time.
	async leftLocked() {
		await this.noAgent();
		const says = await this.world.asCardSays('00200080');
		if (!/^(63c\d|6983|6a88|6d00)$/.test(says))
			throw new Error('VERIFY says ' + says);
	}

	async noAgent() {
		await until('the agent has gone',
			() => this.world.agents().length === 0);
	}

	async tidy(...tabs) {
		await this.browser.closeDialogs();
		for (const tab of tabs)
			if (!tab.isClosed)
				await tab.close();
		await this.noAgent();
	}
}
