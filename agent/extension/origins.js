// SPDX-License-Identifier: Apache-2.0
// Sites: those that may ask at all, and those that may know what is there
// before anybody has clicked: named by who built or manages the extension, or
// agreed to once by the person.
import { isAllowed } from './identity.js';
import { ORIGINS } from './settings.js';

const AGREED_MAX = 200; // the oldest is forgotten

// Asked for at once: a browser that has just started takes seconds to know it.
async function load() {
	try {
		return (await chrome.storage.managed.get('origins')).origins;
	} catch {
		return undefined; // nobody manages this browser
	}
}

let policy = load();
chrome.storage.onChanged.addListener((changes, area) => {
	if (area === 'managed')
		policy = load();
});

async function agreed() {
	const { agreed: list } = await chrome.storage.local.get('agreed');
	return Array.isArray(list) ? list : [];
}

export async function mayAsk(url) {
	return isAllowed(url, ORIGINS, await policy);
}

export async function isKnown(url) {
	const lists = [ORIGINS, await policy];
	if (lists.some((l) => Array.isArray(l) && l.length > 0))
		return true; // it may ask: mayAsk
	return (await agreed()).includes(url.origin);
}

export async function remember(origin) {
	const list = (await agreed()).filter((o) => o !== origin);
	await chrome.storage.local.set({
		agreed: [...list, origin].slice(-AGREED_MAX),
	});
}
