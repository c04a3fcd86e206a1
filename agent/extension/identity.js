// SPDX-License-Identifier: Apache-2.0
// Who asks. The browser says so, in sender.origin and nowhere else:
// sender.url and tab.url name the site above a sandboxed frame, and the page
// before a prerendered one; what the page says about itself is nothing.

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

// The origin as a URL if it is one that may be shown and trusted to be that of
// the page's sender; null if not. Loopback is secure without TLS, as it is to
// the browsers themselves.
export function secureOrigin(text) {
	if (typeof text !== 'string' || text.length > 255)
		return null;
	let url;
	try {
		url = new URL(text);
	} catch {
		return null; // "null" too
	}
	if (url.origin !== text)
		return null;
	if (url.protocol === 'https:')
		return url;
	return url.protocol === 'http:' && LOOPBACK.test(url.hostname) ? url : null;
}

// "https://host[:port]", with "*." before the host for its subdomains.
export function matches(pattern, url) {
	const p = /^(https?):\/\/(\*\.)?([^/:*]+|\[[^\]]+\])(?::(\d+))?\/?$/.exec(
		String(pattern).toLowerCase());
	if (p === null || url.protocol !== p[1] + ':')
		return false;
	const port = url.port || (p[1] === 'https' ? '443' : '80');
	if (port !== (p[4] ?? (p[1] === 'https' ? '443' : '80')))
		return false;
	return p[2] === undefined ? url.hostname === p[3] :
		url.hostname.endsWith('.' + p[3]);
}

// lists: arrays of patterns, each of which must have one that fits; an empty
// or missing list is no list.
export function isAllowed(url, ...lists) {
	return lists.every((list) => !Array.isArray(list) || list.length === 0 ||
		list.some((pattern) => matches(pattern, url)));
}

// The sender of a content script's port: { url, tab } or null. Only the top
// frame of a page that is shown may ask.
export function identify(sender, ownId) {
	if (sender?.id !== ownId || sender.frameId !== 0 || !(sender.tab?.id >= 0))
		return null;
	if ((sender.documentLifecycle ?? 'active') !== 'active')
		return null;
	const url = secureOrigin(sender.origin);
	return url === null ? null : { url, tab: sender.tab };
}
