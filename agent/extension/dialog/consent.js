// SPDX-License-Identifier: Apache-2.0
// The question: who asks, what for, what happens to the card.
import { el, icon, place, plain, t } from './text.js';

const $ = (id) => document.getElementById(id);

// Groups of the consent message, in the order in which they are shown.
const GROUPS = [
	['makes', 'plus'], ['replaces', 'swap'], ['deletes', 'minus'],
	['unlocks', 'key'],
];
const KINDS = ['key', 'certificate', 'pin', 'puk', 'secret', 'data', 'keys'];

// What the scope allows besides, by command number (session.cddl command-no).
const DEEDS = new Map([
	[1, 'cli_does_puk_rules'], [2, 'cli_does_pin_rules'],
	[5, 'cli_does_import_secret'], [6, 'cli_does_import_private'],
	[7, 'cli_does_extension'], [12, 'cli_does_clone'],
]);

function deed(key) {
	const text = t(key);
	return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

// "New key P-256 in slot 9A", "Unlocks: PIN of “CN=Ada” in slot 9A"
function line(group, object) {
	const kind = KINDS.includes(object.kind) ? object.kind : 'other';
	const what = [t('ext_kind_' + kind), plain(object.algorithm ?? '')]
		.filter((s) => s !== '').join(' ');
	const text = [
		object.name ? t('ext_of', what, plain(object.name)) : what,
		!object.name && Number.isInteger(object.object) ?
			t('ext_object_number', object.object) : '',
		place(object.slot),
	];
	return t('ext_' + group, text.filter((s) => s !== '').join(' '));
}

export function renderConsent({ host, consent }) {
	const action = ['enroll', 'renew', 'manage', 'unlock']
		.includes(consent.action) ? consent.action : 'enroll';
	$('question').textContent = t('ext_question_' + action);
	$('host').textContent = host;
	$('known').textContent = t(consent.resume ? 'ext_resume' :
		consent.isNew ? 'ext_new' : 'ext_known');
	const isNew = consent.isNew && !consent.resume;
	$('new').hidden = !isNew;
	document.querySelector('.asker').classList.toggle('new', isNew);
	$('subject').textContent = plain(consent.subject);
	// Where no key is made, no certificate is.
	$('row-subject').hidden = plain(consent.subject) === '' ||
		consent.makes.length === 0;
	const makes = $('makes');
	makes.replaceChildren();
	for (const [group, sign] of GROUPS)
		for (const object of consent[group])
			makes.append(el('li', group, icon(sign),
				el('span', '', line(group, object))));
	if (consent.keysMax > consent.makes.length)
		makes.append(el('li', 'makes', icon('plus'),
			el('span', '', t('ext_keys_max', consent.keysMax))));
	for (const [command, key] of DEEDS)
		if (consent.commands.includes(command))
			makes.append(el('li', 'makes', icon('plus'),
				el('span', '', deed(key))));
	if (makes.childElementCount === 0)
		makes.append(el('li', '', t('ext_no_changes')));
	$('learns').textContent = t('ext_mode_' +
		([1, 2, 3].includes(consent.mode) ? consent.mode : 1));
	$('issuer').textContent = t('ext_says', plain(consent.issuer) || host);
	$('purpose').textContent = t('ext_quoted', plain(consent.purpose));
	$('row-purpose').hidden = plain(consent.purpose) === '';
}

// Another session, which was not begun here: what it does is not known here.
export function renderUnfinished({ host, unfinished }) {
	$('unfinished-who').textContent = t('ext_unfinished_text', host);
	$('unfinished-reader').textContent = plain(unfinished);
}

// ---- readers ----

const CARD_STATES = ['none', 'unknown', 'cardwright', 'mute', 'in-use'];
let shown = '';
let picked = null; // by the person

function row(reader, input) {
	const state = CARD_STATES.includes(reader.card) ? reader.card : 'unknown';
	const words = el('span', '', plain(reader.name), el('span',
		'state' + (state === 'cardwright' ? ' ready' : ''),
		t('ext_card_' + state.replace('-', '_'))));
	return el(input ? 'label' : 'div', 'reader',
		...(input ? [input] : []), icon('reader'), words);
}

function radio(reader, isChosen) {
	const input = el('input');
	input.type = 'radio';
	input.name = 'reader';
	input.value = reader.name;
	input.checked = isChosen;
	input.addEventListener('change', () => {
		picked = reader.name;
	});
	return input;
}

export function renderReaders(readers) {
	if (JSON.stringify(readers) === shown)
		return;
	shown = JSON.stringify(readers);
	const had = document.activeElement?.name === 'reader';
	const best = readers.find((r) => r.name === picked) ??
		readers.find((r) => r.card === 'cardwright') ??
		readers.find((r) => r.card !== 'none') ?? readers[0];
	const list = $('reader-list');
	list.replaceChildren(...readers.map((r) =>
		row(r, readers.length > 1 ? radio(r, r === best) : null)));
	if (readers.length === 0)
		list.append(el('p', 'reader', icon('reader'),
			el('span', '', t('ext_no_reader'))));
	if (had)
		list.querySelector('input:checked')?.focus();
}

// Null leaves it to the agent: it waits for a reader or a card.
export function chosenReader() {
	return document.querySelector('input[name=reader]:checked')?.value ?? null;
}
