// SPDX-License-Identifier: Apache-2.0
// Conditions with a deadline; nothing here sleeps for luck. A deadline is only
// met when something is broken: it is for the slowest machine under load.

export function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

// Thrown in a condition: it can never come true.
export class Hopeless extends Error {}

// Polls until the function gives something true, and returns it. What it
// throws counts as "not yet" and is told when time is over.
export async function until(what, f, ms = 60000) {
	const end = Date.now() + ms;
	let last;
	for (;;) {
		try {
			const value = await f();
			if (value)
				return value;
			last = undefined;
		} catch (e) {
			if (e instanceof Hopeless)
				throw new Error(`never: ${what} (${e.message})`);
			last = e;
		}
		if (Date.now() > end)
			throw new Error('not in time: ' + what +
				(last ? ' (' + last.message + ')' : ''));
		await pause(25);
	}
}
