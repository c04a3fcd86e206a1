// SPDX-License-Identifier: Apache-2.0
// A browser that uses the card itself, by OpenSC's PKCS#11 module: for TLS with
// the card's key. How its questions are answered differs: Chromium's windows
// get keys (xdotool), Firefox's an observer in its own scope.
import { Chromium } from './chromium.mjs';
import { Firefox } from './firefox.mjs';
import { until } from './wait.mjs';

const WINDOW = ['--name', '^Unlock Security Device$'];

export class TokenChromium {
	static label = 'Chromium';
	// It keeps the answer "no certificate" until its last window closes.
	static asksAgain = false;
	// It may crash or ask twice where the card was exchanged under OpenSC.
	static seesAnew = false;

	// choose: by itself, without asking which certificate; origins: the only
	// ones that may ask the extension.
	static async launch(world, screen, { choose, origins }) {
		const b = new TokenChromium();
		b.screen = screen;
		b.browser = await Chromium.launch(world, { headed: true,
			module: world.opensc(), policies: {
				AutoSelectCertificateForUrls: choose ? [JSON.stringify(
					{ pattern: world.holder, filter: {} })] : [],
				'3rdparty': { extensions: {
					edceamngaogbiecbdhocffodbdaieojc: { origins },
				} },
			} });
		return b;
	}

	// A click counts only if none came half a second before it, nor what is
	// clicked at.
	async #click(x, y, isDone) {
		let last = Date.now();
		await until('a click counts', () => {
			if (isDone())
				return true;
			if (Date.now() - last > 1000) {
				this.screen.xdo('mousemove', x, y, 'click', '1');
				last = Date.now();
			}
			return false;
		});
	}

	// Until the field shows as many dots: keys that come before it listens are
	// lost, and the rest would be a wrong PIN.
	#type(window, value) {
		const [x, y, width] = this.screen.place(window);
		const isTyped = () =>
			this.screen.dots(x + 62, y + 50, width - 86, 30) === value.length;
		return until('the field shows the PIN', () => {
			this.screen.xdo('windowfocus', '--sync', window);
			this.screen.xdo('key', 'ctrl+a', 'BackSpace');
			this.screen.xdo('type', '--delay', '20', value);
			return until('it is typed', isTyped, 2000);
		});
	}

	// Once, when it is asked for. By mouse: a key that closes a window may
	// answer the next question, too.
	async pin(value, name) {
		const window = await this.screen.window('the browser asks for the PIN',
			...WINDOW);
		await this.#type(window, value);
		this.screen.picture(name);
		const [x, y, width, height] = this.screen.place(window);
		await this.#click(x + width - 61, y + height - 39, () =>
			!this.screen.windows(...WINDOW).includes(window));
	}

	// Answers the question which certificate with "none". It has no window of
	// its own; the page behind it is dimmed.
	async chooseNone(name) {
		const dim = () => this.screen.pixel(20, 870) < 192;
		await until('the browser asks which certificate', () =>
			dim() && this.screen.pixel(300, 392) === 255);
		this.screen.picture(name);
		await this.#click(656, 368, () => !dim());
	}

	close() {
		return this.browser.close();
	}
}

const SEES = `
	const { SLOT_NOT_PRESENT } = Ci.nsIPKCS11Slot;
	return Cc['@mozilla.org/security/pkcs11moduledb;1']
		.getService(Ci.nsIPKCS11ModuleDB).listModules().then((modules) =>
			modules.find((module) => module.name === 'OpenSC')
				.slots.some((slot) => slot.status > SLOT_NOT_PRESENT));`;
const CHOICE = 'security.default_personal_cert';
const OBSERVER = `
	const [pin] = arguments;
	Services.obs.addObserver(function observe({ Dialog }) {
		if (Dialog?.args.promptType !== 'promptPassword')
			return;
		Services.obs.removeObserver(observe, 'common-dialog-loaded');
		Services.cardwrightAsked = Dialog.args.text;
		Dialog.ui.password1Textbox.value = pin;
		Dialog.ui.button0.click();
	}, 'common-dialog-loaded');`;

export class TokenFirefox {
	static label = 'Firefox';
	static asksAgain = true;
	static seesAnew = true;

	static async launch(world, screen, { choose, origins }) {
		const b = new TokenFirefox();
		b.browser = await Firefox.launch(world, {
			policies: {
				SecurityDevices: { Add: { OpenSC: world.opensc() } },
				'3rdparty': { Extensions: {
					'cardwright@cardwright.io': { origins },
				} },
			},
			prefs: { [CHOICE]: choose ? 'Select Automatically' :
				'Ask Every Time' },
		});
		return b;
	}

	// It looks once a second, and takes a card for absent until then.
	sees(isIn) {
		return until('the browser sees ' + (isIn ? 'the card' : 'no card'),
			async () => await this.browser.chrome(SEES) === isIn);
	}

	async pin(value) {
		await this.browser.chrome(OBSERVER, value);
	}

	// The question is a dialog inside the browser's window.
	async chooseNone() {
		await until('the browser asks which certificate', () =>
			this.browser.chrome(`
				const find = (w) => {
					if (w.location.href.includes('clientauthask'))
						return w;
					for (const f of w.document.querySelectorAll('browser, iframe'))
						if (f.contentWindow !== null && find(f.contentWindow))
							return find(f.contentWindow);
					return null;
				};
				for (const w of Services.wm.getEnumerator(null)) {
					const d = find(w);
					if (d?.document.readyState === 'complete') {
						d.document.querySelector('dialog').cancelDialog();
						return true;
					}
				}
				return false;`));
	}

	close() {
		return this.browser.close();
	}
}
