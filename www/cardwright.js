// SPDX-License-Identifier: Apache-2.0
// The page's way to the card: docs/page-api.md. A module with no dependencies;
// it talks to the Cardwright extension and never sees a message of the protocol.

const EXTENSION_MS = 1000; // it answers within this time, or is not there
const SLICES = 10; // of it
const STATUS_MS = 10000; // likewise the agent

// What every code means, in English. tests/www holds this table equal to
// docs/page-api.md and to the message catalogue.
const ERRORS = {
	EXTENSION_MISSING: [
		'The Cardwright extension is missing in this browser.',
		'Install the extension and allow it on this site, then check again. If it is there, who manages this computer may have barred it from this site.'],
	AGENT_MISSING: [
		'The Cardwright agent is not installed on this computer.',
		'Install the package cardwright-agent, or run: cardwright-agent install --user.'],
	AGENT_FORBIDDEN: [
		'The browser may not start the agent.',
		'Run cardwright-agent check; a browser in a Snap or Flatpak sandbox cannot start it.'],
	AGENT_CRASHED: [
		'The agent ended unexpectedly.',
		'Try again; if it stays, run cardwright-agent check and report what it says.'],
	AGENT_OLD: [
		'Extension and agent are of different versions.',
		'Update the older of the two.'],
	NO_DIALOG: [
		'No window for the PIN could be opened.',
		'Install a graphical pinentry, such as pinentry-gnome3 or pinentry-qt.'],
	PCSCD_OFF: [
		'The smart card service (pcscd) is not running.',
		'Start it: sudo systemctl start pcscd.socket.'],
	POLKIT_REFUSED: [
		'The system does not allow you to use smart cards.',
		'Log in at the machine itself, or ask its administrator (polkit).'],
	NO_READER: [
		'No card reader was found.',
		'Connect a card reader.'],
	NO_CARD: [
		'There is no card in the reader.',
		'Put your card into the reader.'],
	WRONG_CARD: [
		'This is not the right card.',
		'Put in a Cardwright card, the one that you began with.'],
	CARD_IN_USE: [
		'Another program is using the card.',
		'Close that program (often scdaemon or another browser) and try again.'],
	CARD_REMOVED: [
		'The card was taken out too early.',
		'Put it back and begin again; the session goes on.'],
	PIN_WRONG: [
		'The PIN is wrong.',
		'Try again; the PIN window says how many tries are left.'],
	PIN_BLOCKED: [
		'The PIN is blocked.',
		'Unblock it with the PUK, or ask the issuer.'],
	PIN_WEAK: [
		'The new PIN does not keep the rules.',
		'Begin again and choose a PIN as the window asks.'],
	REFUSED: [
		'You refused, and nothing has changed on the card.',
		'Begin again if that was a mistake.'],
	TIMED_OUT: [
		'Nobody answered in time.',
		'Begin again.'],
	ISSUER_ERROR: [
		'The issuer refused or answered wrongly.',
		'Tell the issuer the error number.'],
	ISSUER_UNREACHABLE: [
		'The issuer cannot be reached.',
		'Check your network and begin again; the session goes on.'],
	APPROVAL_PENDING: [
		'A person at the issuer must approve this first.',
		'Come back later with the same card; the session goes on.'],
	PAGE_GONE: [
		'The issuer’s page was closed.',
		'Open the invitation link again; what the card holds of it goes on.'],
	CANCELLED: [
		'It was cancelled.',
		'Begin again when you are ready; an unfinished session goes on.'],
	ORIGIN_REFUSED: [
		'This site may not ask for your card.',
		'Open the issuer’s own page over https, in a tab of its own.'],
	SITE_NOT_LISTED: [
		'Here the extension works for chosen sites only, and this is none of them.',
		'Ask who manages this computer to allow this site, then check again.'],
	NEEDS_CLICK: [
		'The page asked for your card without a click of yours.',
		'Press the button on the page.'],
	BUSY: [
		'Another enrolment is running.',
		'Finish or cancel it first.'],
	CARD_ERROR: [
		'The card refused.',
		'Try again; if it stays, tell the issuer the error number.'],
	INTERNAL: [
		'Something failed inside the program.',
		'Try again; if it stays, report it.'],
};

export const codes = Object.freeze(Object.keys(ERRORS));

/**
 * What provision() throws.
 *   code     one of `codes`
 *   number   of docs/errors.md, or null if there is none
 *   message  what happened, a sentence; in the person's language if the
 *            extension said it
 *   remedy   what to do, likewise
 */
export class CardwrightError extends Error {
	constructor(code, { number = null, message, remedy } = {}) {
		const known = Object.hasOwn(ERRORS, code) ? code : 'INTERNAL';
		const text = (given, usual) =>
			typeof given === 'string' && given !== '' ? given : usual;

		super(text(message, ERRORS[known][0]));
		this.name = 'CardwrightError';
		this.code = known;
		this.number = Number.isInteger(number) ? number : null;
		this.remedy = text(remedy, ERRORS[known][1]);
	}
}

// One exchange: calls onAnswer for every answer to it until that says true.
function exchange(type, more, onAnswer) {
	const id = crypto.randomUUID();

	function listen(event) {
		const answer = event.data;

		// Our own requests come by here too: they have no "from".
		if (event.source !== window || event.origin !== location.origin ||
		    answer?.cardwright !== 1 || answer.from !== 'extension' ||
		    answer.id !== id)
			return;
		if (onAnswer(answer))
			stop();
	}
	function stop() {
		removeEventListener('message', listen);
	}
	addEventListener('message', listen);
	postMessage({ ...more, cardwright: 1, id, type }, location.origin);
	return stop;
}

// The extension's version, or null if it does not answer.
function ping() {
	return new Promise((resolve) => {
		const stop = exchange('ping', {}, (answer) => {
			if (answer.type !== 'pong')
				return false;
			clearTimeout(timer);
			resolve(String(answer.version));
			return true;
		});
		// In slices: a machine that stands still for a second, with the
		// extension in the same process, has spent no more than one.
		let left = SLICES;
		let timer;
		const wait = () => {
			if (left-- > 0) {
				timer = setTimeout(wait, EXTENSION_MS / SLICES);
				return;
			}
			stop();
			resolve(null);
		};
		wait();
	});
}

// What the extension says of agent, service and readers.
function askStatus() {
	return new Promise((resolve) => {
		const stop = exchange('status', {}, (answer) => {
			if (answer.type !== 'status' && answer.type !== 'error')
				return false;
			clearTimeout(timer);
			resolve(answer.type === 'error' ? { problem: answer.code } : {
				agent: answer.agent ?? null,
				pcscd: answer.pcscd ?? null,
				readers: Array.isArray(answer.readers) ? answer.readers : [],
				problem: answer.problem ?? null,
			});
			return true;
		});
		const timer = setTimeout(() => {
			stop();
			resolve({ problem: 'AGENT_CRASHED' });
		}, STATUS_MS);
	});
}

// The first thing that is in the way, or null.
function problemOf(status) {
	const cards = status.readers.map((reader) => reader.card);

	if (!status.extension)
		return 'EXTENSION_MISSING';
	if (status.problem)
		return Object.hasOwn(ERRORS, status.problem) ?
			status.problem : 'INTERNAL';
	if (status.agent === null)
		return 'AGENT_MISSING';
	if (status.pcscd === false)
		return 'PCSCD_OFF';
	if (cards.length === 0)
		return 'NO_READER';
	if (cards.includes('cardwright'))
		return null;
	if (cards.includes('in-use'))
		return 'CARD_IN_USE';
	return cards.every((card) => card === 'none') ? 'NO_CARD' : 'WRONG_CARD';
}

/**
 * What is there and what is missing. Never throws; asks for nothing and touches
 * no card's content.
 *   extension  whether the extension answers; version: its version, or null
 *   agent      {version, capabilities} of the agent, or null
 *   pcscd      whether the smart card service runs, or null if unknown
 *   readers    [{card: "none"|"unknown"|"cardwright"|"mute"|"in-use"}]
 *   problem    the code of the first thing that is missing, or null
 */
export async function status() {
	const found = { extension: false, version: null, agent: null,
		pcscd: null, readers: [], problem: null };
	const version = await ping();

	if (version !== null) {
		Object.assign(found, await askStatus(), { extension: true, version });
	}
	found.problem = problemOf(found);
	return found;
}

let running = false;

/**
 * Puts onto the card what the intent at `intentUrl` (same origin) says, after
 * the person has agreed in the extension's window. Call it from the handler of a
 * click. Resolves to {certificates: […]} when the card has confirmed; throws
 * CardwrightError. `onProgress` gets {phase, key, state, step} and
 * {wait: "reader"|"card"|"card-again"|"card-in-use"|"pin"|null}.
 */
export async function provision(intentUrl, { onProgress = () => {} } = {}) {
	if (running)
		throw new CardwrightError('BUSY');
	let intent;
	try {
		intent = new URL(intentUrl, location.href);
	} catch {
		throw new CardwrightError('ORIGIN_REFUSED');
	}
	if (intent.origin !== location.origin)
		throw new CardwrightError('ORIGIN_REFUSED');
	running = true;
	try {
		if (await ping() === null)
			throw new CardwrightError('EXTENSION_MISSING');
		return await new Promise((resolve, reject) => {
			exchange('provision', { intent: intent.href }, (answer) => {
				if (answer.type === 'progress')
					onProgress(answer);
				else if (answer.type === 'result')
					resolve({ certificates: answer.certificates ?? [] });
				else if (answer.type === 'error')
					reject(new CardwrightError(answer.code, answer));
				return answer.type === 'result' || answer.type === 'error';
			});
		});
	} finally {
		running = false;
	}
}

/** Ends a provision() that is running: it throws CANCELLED. Else nothing. */
export function cancel() {
	if (running)
		exchange('cancel', {}, () => true)();
}
