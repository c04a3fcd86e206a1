// SPDX-License-Identifier: Apache-2.0
// The page that begins an enrolment: shows what is missing, starts, follows.
// All texts are in the page, in the person's language.

// The same version of the module as of this file.
const { status, provision, cancel } =
	await import('/cardwright.js' + new URL(import.meta.url).search);

const AGAIN_MS = 3000; // while something is missing and the page is seen

const $ = (selector) => document.querySelector(selector);
const views = { plan: $('#plan'), running: $('#running'), failed: $('#failed') };
const text = (name) => $(`#texts [data-text="${name}"]`).textContent;
const problem = (code) => $(`#texts [data-problem="${code}"]`) ??
	$('#texts [data-problem="INTERNAL"]');

let view = 'plan';
let checking = null; // the check that is under way
let known = 'INTERNAL'; // what the last one found
let timer = 0;

function say(words) {
	const live = $('#live');

	// The same words twice would be read once.
	if (live.textContent !== words)
		live.textContent = words;
}

function show(name) {
	view = name;
	for (const [key, section] of Object.entries(views))
		section.hidden = key !== name;
	views[name].querySelector('h1').focus();
	scrollTo(0, 0);
}

// ---- what is there ----

const needs = ['extension', 'agent', 'reader', 'card'];
const missingAt = {
	EXTENSION_MISSING: 'extension', ORIGIN_REFUSED: 'extension',
	SITE_NOT_LISTED: 'extension',
	AGENT_MISSING: 'agent', AGENT_FORBIDDEN: 'agent', AGENT_CRASHED: 'agent',
	AGENT_OLD: 'agent', NO_DIALOG: 'agent', PCSCD_OFF: 'reader', POLKIT_REFUSED: 'reader',
	NO_READER: 'reader', NO_CARD: 'card', WRONG_CARD: 'card',
	CARD_IN_USE: 'card',
};

// It is there, but not for this site.
const refusals = ['ORIGIN_REFUSED', 'SITE_NOT_LISTED'];

// For reader and card the agent waits; for the rest there is nobody to wait. A
// site that is new to the extension learns nothing before the click on Begin.
const waitable = [null, 'NEEDS_CLICK', 'NO_READER', 'NO_CARD', 'WRONG_CARD', 'CARD_IN_USE'];

function showList(code) {
	const list = $('.checks');
	const isAsked = code === 'NEEDS_CLICK';
	const at = code === null ? needs.length : isAsked ? 1 :
		needs.indexOf(missingAt[code] ?? 'agent');

	needs.forEach((need, i) => {
		const state = i < at ? 'ready' :
			i > at || isAsked ? 'unknown' :
				refusals.includes(code) ? 'refused' : 'missing';
		const item = list.querySelector(`[data-check="${need}"]`);

		item.className = state;
		item.querySelector('.state').textContent = list.dataset[state];
	});
}

function wordsOf(code) {
	return ['what', 'remedy'].map((part) =>
		problem(code).querySelector('.' + part).textContent);
}

let shown; // what the page says now: a code, or null

function showNeeds(code) {
	const isFree = code === null || code === 'NEEDS_CLICK';
	say(code === null ? text('check-all') :
		isFree ? text('check-begin') : wordsOf(code).join(' '));
	if (code === shown)
		return;
	shown = code;
	showList(code);
	const box = $('#missing');
	const start = $('#start');
	const focused = document.activeElement;
	if (!isFree)
		[box.querySelector('.what').textContent,
			box.querySelector('.remedy').textContent] = wordsOf(code);
	box.hidden = isFree;
	$('#rest').hidden = code !== 'NEEDS_CLICK';
	start.hidden = !waitable.includes(code);
	$('#headless').open = code === 'EXTENSION_MISSING';
	// A button that has the focus may vanish: it goes to what is next.
	if (box.hidden && box.contains(focused))
		$('#begin').focus();
	else if (start.hidden && start.contains(focused))
		box.focus();
}

// One check at a time; everybody who asks gets the one that runs.
function check() {
	clearTimeout(timer);
	checking ??= status().then(({ problem: code }) => {
		checking = null;
		known = code;
		if (view === 'plan') {
			showNeeds(code);
			if (code !== null && code !== 'NEEDS_CLICK' && !document.hidden)
				timer = setTimeout(check, AGAIN_MS);
		}
		return code;
	});
	return checking;
}

// A browser may not bring a new extension into a page that is open already.
// This page has nothing to lose: it loads itself anew.
function again() {
	if (known === 'EXTENSION_MISSING') {
		location.reload();
		return;
	}
	say(text('check-running'));
	check();
}

// ---- the run ----

function follow({ phase, state, wait }) {
	const box = $('#wait');

	if (wait !== undefined) {
		const words = wait === null ? null :
			$(`#texts [data-wait="${wait}"]`);

		box.hidden = words === null;
		box.textContent = words?.textContent ?? '';
		if (words !== null)
			say(words.textContent);
	}
	const item = $(`.phases [data-phase="${phase}"]`);
	if (item === null)
		return;
	item.classList.toggle('done', state === 'end');
	if (state === 'end') {
		item.removeAttribute('aria-current');
		return;
	}
	for (const other of document.querySelectorAll('.phases [aria-current]'))
		other.removeAttribute('aria-current');
	item.setAttribute('aria-current', 'step');
	say(item.textContent);
}

const general = new Set(['ISSUER_ERROR', 'CARD_ERROR', 'INTERNAL']);

function fail(error) {
	const section = views.failed;
	const number = $('#number');
	const [what, remedy] = wordsOf(error.code);

	section.querySelector('.what').textContent = what;
	section.querySelector('.remedy').textContent = remedy;
	// Of these the number says more than the code.
	const cause = section.querySelector('.cause');
	cause.hidden = error.number === null || !general.has(error.code);
	if (!cause.hidden) {
		cause.textContent = error.message;
		section.querySelector('.remedy').textContent = error.remedy;
	}
	number.hidden = error.number === null;
	number.textContent = number.dataset.text.replace('#', error.number);
	show('failed');
	say(section.querySelector('.notice').innerText);
}

// At once, without another check: a click counts for a few seconds only. The
// button is there only when somebody is there to answer.
async function run() {
	for (const item of document.querySelectorAll('.phases li')) {
		item.classList.remove('done');
		item.removeAttribute('aria-current');
	}
	follow({ wait: null });
	clearTimeout(timer);
	show('running');
	say(views.running.querySelector('h1').textContent);
	try {
		await provision($('link[rel="cardwright-intent"]').href,
			{ onProgress: follow });
		// What it came to, the issuer says from its own records.
		location.assign('/done');
	} catch (error) {
		fail(error);
	}
}

// The address of the invitation, for the command line: where we come from.
function fillAddress() {
	if (document.referrer === '')
		return;
	const from = new URL(document.referrer);

	if (from.origin === location.origin && from.pathname.startsWith('/i/'))
		$('#address').textContent = from.href;
}

$('#needs').hidden = false;
$('#begin').addEventListener('click', run);
$('#again').addEventListener('click', again);
$('#cancel').addEventListener('click', cancel);
$('#retry').addEventListener('click', () => {
	show('plan');
	check();
});
document.addEventListener('visibilitychange', () => {
	if (!document.hidden && view === 'plan')
		again();
});
fillAddress();
check();
