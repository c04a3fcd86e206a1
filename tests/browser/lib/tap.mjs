// SPDX-License-Identifier: Apache-2.0
// TAP for node: each case is a sentence and a function that throws if it fails.

let count = 0;

export function note(text) {
	console.log(String(text).replace(/^/gm, '# '));
}

export async function ok(sentence, f) {
	count++;
	try {
		await f();
		console.log(`ok ${count} - ${sentence}`);
		return true;
	} catch (e) {
		console.log(`not ok ${count} - ${sentence}`);
		note((e?.stack ?? String(e)).split('\n')
			.filter((line) => !line.includes('node:')).slice(0, 12).join('\n'));
		return false;
	}
}

export function same(got, want, what = 'value') {
	const a = JSON.stringify(got);
	const b = JSON.stringify(want);
	if (a !== b)
		throw new Error(`${what}: got ${a}, want ${b}`);
}

export function finish() {
	console.log(`1..${count}`);
}
