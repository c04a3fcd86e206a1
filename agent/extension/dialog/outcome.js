// SPDX-License-Identifier: Apache-2.0
// Progress, and how it ended.
import { isSaid, remedyKey } from '../codes.js';
import { el, has, icon, place, plain, t } from './text.js';

const $ = (id) => document.getElementById(id);

const STEPS = ['prepare', 'keys', 'certificates', 'confirm'];
const WAITS = {
	reader: 'reader', card: 'card', 'card-again': 'card', pin: 'pad',
	'card-in-use': 'clock',
};
// What the heading of a wait says already.
const SAID = [502, 503, 505, 506];
let waited = '';
let stepped = '';

function renderWait(waiting, say) {
	if (JSON.stringify(waiting) === waited)
		return;
	waited = JSON.stringify(waiting);
	const box = $('wait');
	box.replaceChildren();
	if (waiting === null || !Object.hasOwn(WAITS, waiting.for))
		return;
	const key = 'ext_wait_' + waiting.for.replaceAll('-', '_');
	const words = el('div', '', el('strong', '', t(key)),
		el('p', '', t(key + '_text')));
	if (!SAID.includes(waiting.error) && has('error_' + waiting.error))
		words.append(el('p', 'bad', t('error_' + waiting.error)));
	if (waiting.for === 'pin' && Number.isInteger(waiting.tries))
		words.append(el('p', '', t('ext_tries', waiting.tries)));
	else if (waiting.reader)
		words.append(el('p', '', plain(waiting.reader)));
	box.append(icon(WAITS[waiting.for]), words);
	say(t(key));
}

export function renderRunning(view, say) {
	const now = STEPS.indexOf(view.step);
	for (const li of document.querySelectorAll('#steps li')) {
		const at = STEPS.indexOf(li.dataset.step);
		li.className = at < now ? 'past' : at === now ? 'now' : '';
		if (at === now)
			li.setAttribute('aria-current', 'step');
		else
			li.removeAttribute('aria-current');
	}
	if (stepped !== view.step) {
		stepped = view.step;
		say(t('ext_step_' + view.step));
	}
	renderWait(view.waiting, say);
}

function date(text) {
	const d = new Date(text);
	return Number.isNaN(d.getTime()) ? plain(text) :
		d.toLocaleDateString(t('ext_language'), { dateStyle: 'long' });
}

export function renderDone({ changes }) {
	const isNew = changes.some((c) => ['created', 'replaced'].includes(c.what));
	$('done-what').textContent = t(isNew || changes.length === 0 ? 'ext_done' :
		'ext_changed');
	$('changes').replaceChildren(...changes.map((c) => {
		const what = ['created', 'replaced', 'deleted', 'unlocked']
			.includes(c.what) ? c.what : 'created';
		const more = [
			t('ext_what_' + what),
			plain(c.algorithm ?? ''),
			place(c.slot),
		].filter((s) => s !== '').join(' · ');
		const words = el('div', '',
			el('strong', '', plain(c.subject) ||
				t(c.kind === 'pin' ? 'ext_kind_pin' : 'ext_kind_key')),
			el('span', '', more));
		if (c.issuer)
			words.append(el('span', '', t('ext_issued_by', plain(c.issuer))));
		if (c.not_after && what !== 'deleted')
			words.append(el('span', '', t('ext_valid_until', date(c.not_after))));
		if (c.serial)
			words.append(el('span', '', t('ext_serial', plain(c.serial))));
		return el('li', '', icon(what === 'deleted' ? 'minus' : 'key'), words);
	}));
}

const LATER = ['APPROVAL_PENDING', 'BUSY'];
const MILD = ['REFUSED', 'CANCELLED', 'PAGE_GONE', 'TIMED_OUT'];

// A sentence as a heading.
function heading(text) {
	return text.replace(/\.$/, '');
}

export function renderFailed({ failure }) {
	const { code, number } = failure;
	const name = has('problem_' + code) ? code : 'INTERNAL';
	const later = LATER.includes(code);
	$('failed-badge').className = later ? 'badge later' : 'badge';
	$('failed-icon').setAttribute('href', later ? '#i-clock' :
		MILD.includes(code) ? '#i-cross' : '#i-alert');
	const what = has('ext_title_' + number) ? t('ext_title_' + number) :
		heading(t('problem_' + name));
	$('failed-what').textContent = what;
	const known = number !== undefined && has('error_' + number);
	const why = isSaid(code) ? '' : known ? t('error_' + number) : plain(failure.sentence);
	$('failed-why').textContent = later || heading(why) === what ? '' : why;
	const todo = remedyKey(name, number);
	$('failed-todo').textContent = has(todo) ? t(todo) :
		plain(failure.remedy) || t('remedy_' + name);
	$('failed-number').textContent = number !== undefined ?
		t('ext_number', number) : failure.status !== undefined ?
			t('ext_status', failure.status) : '';
}
