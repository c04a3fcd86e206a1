// SPDX-License-Identifier: Apache-2.0
// Words. What an issuer, a card or a reader says about itself is data: it is
// set as text, cut, and can neither turn the line around nor hide in it.

const TEXT_MAX = 300;
// C0, C1, zero width, direction and line characters, tags
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

export function t(key, ...values) {
	return chrome.i18n.getMessage(key, values.map(String)) || key;
}

export function has(key) {
	return chrome.i18n.getMessage(key) !== '';
}

export function plain(text) {
	if (typeof text !== 'string')
		return '';
	const clean = text.replace(HIDDEN, '\ufffd');
	return clean.length > TEXT_MAX ? clean.slice(0, TEXT_MAX) + '…' : clean;
}

// Where an object lies: the PIV slots have names.
export function place(slot) {
	if (slot === null || slot === undefined)
		return '';
	const name = String(slot).toUpperCase();
	return /^9[ACDE]$/.test(name) ? t('ext_slot_' + name) :
		t('ext_slot', plain(name));
}

// el('li', 'class', child...): children are nodes or texts.
export function el(name, className, ...children) {
	const e = document.createElement(name);
	if (className)
		e.className = className;
	e.append(...children);
	return e;
}

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name) {
	const svg = document.createElementNS(SVG, 'svg');
	const use = document.createElementNS(SVG, 'use');
	use.setAttribute('href', '#i-' + name);
	svg.setAttribute('aria-hidden', 'true');
	svg.append(use);
	return svg;
}
