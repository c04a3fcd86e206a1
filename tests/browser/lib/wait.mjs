// SPDX-License-Identifier: Apache-2.0
// Conditions with a deadline; nothing here sleeps for luck.

export const SLOW = process.env.CW_SLOW ? Number(process.env.CW_SLOW) : 1;

export function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

// Polls until the function gives something true, and returns it. What it
// throws counts as "not yet" and is told when time is over.
export async function until(what, f, ms = 60000) {
	const end = Date.now() + ms * SLOW;
	let last;
	for (;;) {
		try {
			const value = await f();
			if (value)
				return value;
			last = undefined;
		} catch (e) {
			last = e;
		}
		if (Date.now() > end)
			throw new Error('not in time: ' + what +
				(last ? ' (' + last.message + ')' : ''));
		await pause(25);
	}
}
