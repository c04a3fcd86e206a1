// SPDX-License-Identifier: Apache-2.0
// The holder's pages by keyboard and for screen readers, and what they do when
// things change: [sentence, state, what is done].
import { STATUS } from '../lib/answers.mjs';

function same(got, want) {
	if (got !== want)
		throw new Error(`got ${JSON.stringify(got)}, want ${want}`);
}

const focused = (v) => v.page.evaluate(
	'document.activeElement.id || document.activeElement.localName');
const live = (v) => v.page.textContent('#live');
const set = (v, status) => v.page.evaluate(
	(s) => { window.fake.status = s; }, STATUS[status]);
const says = (v, text) => v.page.waitForFunction(
	(t) => document.querySelector('#live').textContent.includes(t), text);

export const keyboard = [
	['the whole way goes by keyboard: skip link first, then the one button',
		{ status: 'ready', run: 'running' }, async (v) => {
			await v.page.goto(v.world.link);
			await v.page.keyboard.press('Tab');
			same(await v.page.evaluate('document.activeElement.className'),
				'skip');
			await v.page.keyboard.press('Enter');
			same(await focused(v), 'content');
			await v.page.keyboard.press('Tab');
			await v.page.keyboard.press('Enter');
			await v.page.waitForSelector('[data-check=card].ready');
			// The way behind the skip link goes on: straight to the button.
			await v.page.keyboard.press('Tab');
			same(await focused(v), 'begin');
			await v.page.keyboard.press('Enter');
			await v.page.waitForSelector('#running:not([hidden])');
			same(await focused(v), 'h1');
			await v.page.keyboard.press('Tab');
			same(await focused(v), 'cancel');
			await v.page.keyboard.press('Space');
			await v.page.waitForSelector('#failed:not([hidden])');
			same(await focused(v), 'h1');
			await v.page.keyboard.press('Tab');
			same(await focused(v), 'retry');
			await v.page.keyboard.press('Enter');
			await v.page.waitForSelector('#plan:not([hidden])');
		}],
	['what is missing is said aloud, and so is that it came',
		{ status: 'reader' }, async (v) => {
			await v.enter();
			await says(v, 'No card reader was found. Connect a card reader.');
			await v.page.evaluate('window.same = true');
			await set(v, 'card');
			await says(v, 'Put your card into the reader.');
			await set(v, 'ready');
			await says(v, 'Everything is ready.');
			same(await v.page.evaluate('window.same'), true);
		}],
	['what is new to the extension is begun without a look at the card',
		{ status: 'stranger' }, async (v) => {
			await v.enter();
			await says(v, 'the rest is looked for when you begin');
			same(await v.page.isVisible('#begin'), true);
			same(await v.page.isVisible('#missing'), false);
			same(await v.page.isVisible('[data-check=extension].ready'), true);
			same(await v.page.isVisible('[data-check=card].unknown'), true);
		}],
	['nothing can be begun before it is known who would answer',
		{ status: 'ready' }, async (v) => {
			await v.enter();
			same(await v.page.evaluate(`(async () => {
				const text = await (await fetch('/enroll')).text();
				const page = new DOMParser()
					.parseFromString(text, 'text/html');
				return page.querySelector('#start').hidden;
			})()`), true);
			await v.page.waitForSelector('#begin');
			same(await v.page.isVisible('[data-check=card].ready'), true);
		}],
	['a button that goes away gives the focus to what is next',
		{ status: 'agent' }, async (v) => {
			await v.enter();
			await v.page.waitForSelector('#missing:not([hidden])');
			same(await v.page.isVisible('#begin'), false);
			await v.page.focus('#again');
			await set(v, 'ready');
			await v.page.waitForSelector('[data-check=card].ready');
			same(await focused(v), 'begin');
			await set(v, 'agent');
			await v.page.evaluate(
				'document.dispatchEvent(new Event("visibilitychange"))');
			await v.page.waitForSelector('#missing:not([hidden])');
			same(await focused(v), 'missing');
		}],
	['the steps of a run are said aloud, and so is what is waited for',
		{ status: 'ready', run: 'waiting' }, async (v) => {
			await v.enter();
			await v.page.waitForSelector('[data-check=card].ready');
			await v.page.click('#begin');
			await says(v, 'Answer in the window that asks for the PIN.');
			same(await v.page.getAttribute('[data-phase=keys]',
				'aria-current'), 'step');
			same(await v.page.getAttribute('[data-phase=session]', 'class'),
				'done');
		}],
	['an error of the issuer comes with its number, cause and cure',
		{ status: 'ready', run: 'issuer' }, async (v) => {
			await v.enter();
			await v.page.waitForSelector('[data-check=card].ready');
			await v.page.click('#begin');
			await v.page.waitForSelector('#failed:not([hidden])');
			const text = await v.page.innerText('#failed');
			for (const words of ['The issuer refused', 'Error 605',
				'The profile does not allow this.', 'Use a card, key'])
				if (!text.includes(words))
					throw new Error(`no ${words} in ${text}`);
			if (!(await live(v)).includes('The profile does not allow this.'))
				throw new Error('not said aloud');
		}],
	['the command for the terminal has the address of this invitation',
		{ status: 'none' }, async (v) => {
			await v.page.goto(v.world.link);
			await v.page.click('summary');
			const command = await v.page.innerText('pre');
			same(command, 'cardwright-agent enroll ' + v.world.link);
			await v.page.click('button[type=submit]');
			await v.page.waitForSelector('#missing:not([hidden])');
			same(await v.page.innerText('#headless pre'), command);
		}],
	['"Check again" without an extension loads the page anew',
		{ status: 'none' }, async (v) => {
			await v.enter();
			await v.page.waitForSelector('#missing:not([hidden])');
			await v.page.evaluate('window.same = true');
			await v.page.click('#again');
			await v.page.waitForFunction('window.same !== true');
			await v.page.waitForSelector('#missing:not([hidden])');
		}],
];
