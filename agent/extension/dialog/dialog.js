// SPDX-License-Identifier: Apache-2.0
// The dialog shows the worker's view of the run, and says what the person does.
// It decides nothing.
import {
	chosenReader, renderConsent, renderReaders, renderUnfinished,
} from './consent.js';
import { renderDone, renderFailed, renderRunning } from './outcome.js';
import { t } from './text.js';

// A click meant for what was here before must not agree to anything.
const ARM_MS = 500;

const $ = (id) => document.getElementById(id);
const refuse = $('refuse');
const accept = $('accept');
const drop = $('drop');
let phase = 'asking';
let port = null;

function say(text) {
	$('said').textContent = text;
}

function isOver() {
	return phase === 'done' || phase === 'failed';
}

// ---- the buttons that agree ----

// The questions, and what agreeing to them is called.
const agree = { consent: 'ext_accept', unfinished: 'ext_finish' };
let armed = 0; // the timer

function arm() {
	clearTimeout(armed);
	accept.disabled = drop.disabled = true;
	if (!Object.hasOwn(agree, phase) ||
	    document.visibilityState !== 'visible')
		return;
	armed = setTimeout(() => {
		accept.disabled = drop.disabled = false;
	}, ARM_MS);
}

document.addEventListener('visibilitychange', arm);

// ---- phases ----

const titles = {
	asking: 'ext_asking', consent: null, unfinished: 'ext_unfinished',
	running: 'ext_running', done: null, failed: null,
};
const headings = {
	consent: 'question', done: 'done-what', failed: 'failed-what',
};
const leave = {
	asking: 'ext_cancel', consent: 'ext_refuse', unfinished: 'ext_refuse',
	running: 'ext_cancel', done: 'ext_close', failed: 'ext_close',
};

function enter(next, view) {
	phase = next;
	document.body.dataset.phase = phase;
	refuse.textContent = t(leave[phase]);
	refuse.className = isOver() ? 'strong' : 'plain';
	accept.hidden = !Object.hasOwn(agree, phase);
	accept.textContent = accept.hidden ? '' : t(agree[phase]);
	accept.className = phase === 'consent' ? 'strong' : 'plain';
	drop.hidden = phase !== 'unfinished';
	if (phase === 'consent')
		renderConsent(view);
	else if (phase === 'unfinished')
		renderUnfinished(view);
	else if (phase === 'done')
		renderDone(view);
	else if (phase === 'failed')
		renderFailed(view);
	const heading = titles[phase] !== null ? t(titles[phase]) :
		$(headings[phase]).textContent;
	document.title = heading + ' – Cardwright';
	say(heading);
	document.querySelector('main').scrollTop = 0;
	arm();
	// Refusing is what happens by itself.
	refuse.focus();
}

function show(view) {
	$('where').textContent = view.host;
	if (view.phase !== phase || view.phase === 'asking')
		enter(view.phase, view);
	if (phase === 'consent')
		renderReaders(view.readers);
	if (phase === 'running')
		renderRunning(view, say);
}

function lost() {
	if (isOver())
		return;
	show({
		phase: 'failed', host: $('where').textContent,
		failure: { code: 'INTERNAL' },
	});
}

// ---- what the person does ----

function send(message) {
	try {
		port.postMessage(message);
	} catch {
		lost();
	}
}

function stop() {
	if (isOver())
		window.close();
	else
		send({ type: phase === 'running' ? 'cancel' : 'refuse' });
}

refuse.addEventListener('click', stop);
function decide(event, message) {
	if (!event.isTrusted || accept.disabled)
		return;
	accept.disabled = drop.disabled = true;
	send(message);
}

accept.addEventListener('click', (event) =>
	decide(event, { type: 'accept', reader: chosenReader() }));
drop.addEventListener('click', (event) => decide(event, { type: 'drop' }));
document.addEventListener('keydown', (event) => {
	if (event.key === 'Escape')
		stop();
});

// ---- the beginning ----

document.documentElement.lang = t('ext_language');
document.documentElement.dir = chrome.i18n.getMessage('@@bidi_dir');
for (const e of document.querySelectorAll('[data-text]'))
	e.textContent = t(e.dataset.text);
refuse.textContent = t('ext_cancel');
accept.hidden = true;

port = chrome.runtime.connect({ name: 'dialog' });
port.onMessage.addListener((message) => {
	if (message.type === 'view')
		show(message.view);
});
port.onDisconnect.addListener(lost);
port.postMessage({ type: 'dialog', nonce: location.hash.slice(1) });
