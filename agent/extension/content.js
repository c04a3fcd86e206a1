// SPDX-License-Identifier: Apache-2.0
// Between a page and the worker. It listens for window messages and does
// nothing else on a page that does not ask. For a page that does, it fetches
// from the page's own origin what the worker names, and forwards bytes.
'use strict';

(() => {
	const BODY_MAX = 64 * 1024; // docs/protocol.md "Limits"
	const FETCH_MS = 30000;
	const CLICK_MS = 30000; // how long a click counts
	const MEDIA = 'application/cardwright+cbor';
	const PROBLEM = 'application/concise-problem-details+cbor';

	if (window.top !== window || !window.isSecureContext)
		return;

	let port = null; // to the worker; only while the page wants something
	let running = null; // the id of the page's provision request
	let clicked = -Infinity; // when a request came with a click behind it

	function answer(id, type, more) {
		window.postMessage(
			{ ...more, cardwright: 1, from: 'extension', id, type },
			location.origin);
	}

	function fail(id, code, more) {
		answer(id, 'error', {
			number: null,
			message: chrome.i18n.getMessage('problem_' + code) || code,
			remedy: chrome.i18n.getMessage('remedy_' + code),
			...more,
			code,
		});
	}

	// ---- the page's own server ----

	function encode(bytes) {
		let text = '';
		for (let i = 0; i < bytes.length; i += 0x8000)
			text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
		return btoa(text).replaceAll('+', '-').replaceAll('/', '_')
			.replace(/=+$/, '');
	}

	function decode(text) {
		const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
		return Uint8Array.from(raw, (c) => c.charCodeAt(0));
	}

	// At most BODY_MAX bytes, or null.
	async function read(response) {
		if (response.body === null)
			return new Uint8Array(0);
		const reader = response.body.getReader();
		const parts = [];
		let length = 0;
		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				break;
			length += value.length;
			if (length > BODY_MAX) {
				reader.cancel().catch(() => {});
				return null;
			}
			parts.push(value);
		}
		const all = new Uint8Array(length);
		let at = 0;
		for (const part of parts) {
			all.set(part, at);
			at += part.length;
		}
		return all;
	}

	async function load(job) {
		const url = new URL(job.url, location.origin);
		if (url.origin !== location.origin)
			return { error: 'redirect' };
		const post = job.method === 'POST';
		let response;
		try {
			response = await fetch(url.href, {
				method: post ? 'POST' : 'GET',
				headers: post ?
					{ 'Content-Type': MEDIA, Accept: MEDIA + ', ' + PROBLEM } :
					{ Accept: MEDIA + ', ' + PROBLEM },
				body: post ? decode(job.body) : undefined,
				mode: 'same-origin',
				credentials: 'same-origin',
				redirect: 'manual',
				cache: 'no-store',
				signal: AbortSignal.timeout(FETCH_MS),
			});
			if (response.type === 'opaqueredirect')
				return { error: 'redirect' };
			const body = await read(response);
			if (body === null)
				return { error: 'too-large' };
			const later = response.headers.get('Retry-After');
			return {
				status: response.status,
				content_type: response.headers.get('Content-Type') ?? '',
				retry_after: /^\d{1,6}$/.test(later ?? '') ? Number(later) : null,
				body: encode(body),
			};
		} catch (e) {
			return { error: e?.name === 'TimeoutError' ? 'timeout' : 'network' };
		}
	}

	// ---- the worker ----

	async function onWorker(from, message) {
		switch (message.type) {
		case 'fetch': {
			const reply = await load(message);
			if (port === from)
				from.postMessage({ type: 'fetched', n: message.n, ...reply });
			break;
		}
		case 'status':
			answer(message.id, 'status', message.status);
			break;
		case 'progress':
			if (running !== null)
				answer(running, 'progress', message.progress);
			break;
		case 'result':
			if (running !== null)
				answer(running, 'result', { certificates: message.certificates });
			running = null;
			break;
		case 'error':
			if (running !== null)
				fail(running, message.code, message.more);
			running = null;
			break;
		}
	}

	function worker() {
		if (port !== null)
			return port;
		const opened = chrome.runtime.connect({ name: 'page' });
		opened.onMessage.addListener((message) => onWorker(opened, message));
		opened.onDisconnect.addListener(() => {
			if (port !== opened)
				return;
			port = null;
			if (running !== null)
				fail(running, 'INTERNAL');
			running = null;
		});
		port = opened;
		return port;
	}

	function tell(id, message) {
		try {
			worker().postMessage(message);
			return true;
		} catch {
			// The extension was updated or removed behind this page's back.
			fail(id, 'EXTENSION_MISSING');
			return false;
		}
	}

	// The host may live no longer than the page.
	window.addEventListener('pagehide', () => {
		const closing = port;
		port = null;
		running = null;
		closing?.disconnect();
	});

	// ---- the page ----

	const requests = {
		ping: (id) => answer(id, 'pong',
			{ version: chrome.runtime.getManifest().version }),
		status: (id) => tell(id, { type: 'status', id,
			clicked: performance.now() - clicked <= CLICK_MS }),
		cancel: () => port?.postMessage({ type: 'cancel' }),
		provision(id, data) {
			if (running !== null)
				return fail(id, 'BUSY');
			if (performance.now() - clicked > CLICK_MS)
				return fail(id, 'NEEDS_CLICK');
			clicked = -Infinity;
			let intent;
			try {
				intent = new URL(data.intent, location.href);
			} catch {
				return fail(id, 'ORIGIN_REFUSED');
			}
			// Another site's intent would be shown under this site's name.
			if (typeof data.intent !== 'string' ||
			    intent.origin !== location.origin)
				return fail(id, 'ORIGIN_REFUSED');
			if (tell(id, { type: 'provision', intent: intent.href }))
				running = id;
		},
	};

	window.addEventListener('message', (event) => {
		const data = event.data;
		if (event.source !== window || event.origin !== location.origin ||
		    data?.cardwright !== 1 || data.from !== undefined)
			return;
		const id = data.id;
		if (!(typeof id === 'string' && id.length <= 64) &&
		    !Number.isSafeInteger(id))
			return;
		if (!event.isTrusted || document.prerendering === true)
			return;
		// The browser's own word lasts some seconds only, and a page may have to
		// look first whether all is there.
		if (navigator.userActivation?.isActive !== false)
			clicked = performance.now();
		if (Object.hasOwn(requests, data.type))
			requests[data.type](id, data);
	});
})();
