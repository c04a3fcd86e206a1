// SPDX-License-Identifier: Apache-2.0
// node me.mjs: after the enrolment the browser itself uses the new key, over
// OpenSC's PKCS#11 module, to open the holder's own page; and what that page
// says when the browser shows nothing.
import { Flow, OWN_BUTTON } from './lib/flow.mjs';
import { Screen } from './lib/screen.mjs';
import { finish, note, ok, same } from './lib/tap.mjs';
import { TokenChromium, TokenFirefox } from './lib/token.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const PIN = '271828';

const world = await World.make();
const screen = await Screen.open(world).catch((e) =>
	world.end().finally(() => { throw e; }));
let token = null;

async function launch(Token, options) {
	await token?.close();
	token = null;
	token = await Token.launch(world, screen, options);
	return new Flow(world, token.browser, Token.label);
}

// The page, as the link on the issuer's own site leads there.
function open(tab) {
	return tab.goto(world.url + '/me');
}

function text(tab, selector) {
	return tab.eval(`return document.querySelector('${selector}')?.innerText`);
}

// A question in between ends what the driver calls a navigation.
async function shows(tab, title) {
	let last;
	await until('the page says ' + title, async () => {
		last = null;
		last = [await tab.url(), await text(tab, 'h1')];
		return last[0] === world.holder + '/me' && last[1] === title;
	}).catch((e) => {
		throw new Error(`${e.message}, but: ${last}`);
	});
}

async function showsOwn(tab, serial) {
	await shows(tab, 'My certificates');
	same(await text(tab, '.mono'), serial);
	if (!/Ada Lovelace/.test(await text(tab, 'dl')))
		throw new Error('somebody else: ' + await text(tab, 'dl'));
}

async function saysNothingShown(tab) {
	await shows(tab, 'Your browser has shown no certificate.');
	same(await text(tab, '.small'), 'Error 720');
	const todo = await text(tab, '.lead');
	for (const words of ['Put your card in', 'close all its windows'])
		if (!todo.includes(words))
			throw new Error('it does not say what to do: ' + todo);
}

// As the page says: until then OpenSC knows the card as it was. Gives a tab
// with the link.
async function readAnew(Token, tab, card) {
	const done = await tab.url();
	await world.cardOut();
	if (Token.seesAnew) {
		await token.sees(false);
		await world.cardIn(0, card);
		await token.sees(true);
		return tab;
	}
	await world.cardIn(0, card);
	await launch(Token, { choose: true, origins: [world.url] });
	const other = await token.browser.tab();
	await other.goto(done);
	return other;
}

async function timed(sentence, f) {
	const begin = Date.now();
	await ok(sentence, f);
	note(`${Date.now() - begin} ms`);
}

for (const Token of [TokenChromium, TokenFirefox]) {
	const label = Token.label;
	const name = label.toLowerCase() + '-me';
	let card, serial;

	try {
		await timed(`${label}: the key just made opens the holder's page`,
			async () => {
				card = await world.cardIn(0);
				const flow = await launch(Token,
					{ choose: true, origins: [world.url] });
				const tab = await flow.invited();
				// The policy names this site: it may know before the click.
				await until('all is found', async () =>
					await tab.eval('return document' +
						'.querySelectorAll(".checks .ready").length') === 4);
				const dialog = await flow.begin(tab);
				await dialog.agree();
				await dialog.reaches('done');
				await flow.arrives(tab, '/done');
				serial = await text(tab, '.mono');
				await flow.shot(tab, 'me-done');
				await flow.tidy();
				const own = await readAnew(Token, tab, card);
				const pin = token.pin(PIN, name + '-pin');
				await own.click('a[href="/me"]');
				await pin;
				await showsOwn(own, serial);
				await flow.shot(own, 'me');
			});

		await timed(`${label}: without the card the page says what to do`,
			async () => {
				await world.cardOut();
				const flow = await launch(Token,
					{ choose: true, origins: [world.url] });
				const tab = await token.browser.tab();
				await open(tab);
				await saysNothingShown(tab);
				await flow.shot(tab, 'me-none');
				if (!Token.asksAgain)
					return;
				await world.cardIn(0, card);
				await token.pin(PIN);
				await until('the page is open with the card back in',
					async () => {
						await open(tab);
						return await text(tab, 'h1') === 'My certificates';
					});
				await world.cardOut();
			});

		await timed(`${label}: who chooses no certificate is told so`, async () => {
			await world.cardIn(0, card);
			const flow = await launch(Token,
				{ choose: false, origins: ['https://issuer.example'] });
			const tab = await token.browser.tab();
			const pin = token.pin(PIN, name + '-pin');
			await Promise.all([open(tab),
				pin.then(() => token.chooseNone(name + '-choose'))]);
			await saysNothingShown(tab);
		});

		await timed(`${label}: a site that the policy does not name may not ask`,
			async () => {
				const flow = new Flow(world, token.browser, label);
				const tab = await flow.invited();
				await until('the page is told', async () => (await flow.text(
					tab, '#missing .what')).includes('chosen sites'));
				same(await flow.text(tab, '[data-check=extension]'),
					'Browser extension not allowed on this site');
				await flow.shot(tab, 'page-managed');
				await tab.eval(OWN_BUTTON);
				await tab.click('#own');
				same((await flow.answer(tab)).code, 'SITE_NOT_LISTED');
				same(await token.browser.noDialog(), true, 'no dialog');
			});
	} finally {
		await token?.close();
		token = null;
		await world.cardOut();
	}
}
await world.end();
finish();
