// SPDX-License-Identifier: Apache-2.0
// What a page is told. The agent's errors have numbers (docs/errors.md); a
// page needs few names, each with something else to do about it.

const RANGES = [
	[400, 415, 'CARD_ERROR'],
	[500, 500, 'PCSCD_OFF'],
	[501, 501, 'POLKIT_REFUSED'],
	[502, 502, 'NO_READER'],
	[503, 503, 'NO_CARD'],
	[504, 504, 'WRONG_CARD'],
	[505, 505, 'CARD_IN_USE'],
	[506, 506, 'CARD_REMOVED'],
	[507, 508, 'CARD_ERROR'],
	[509, 509, 'WRONG_CARD'],
	[520, 520, 'PIN_WRONG'],
	[521, 521, 'PIN_BLOCKED'],
	[522, 525, 'PIN_WEAK'],
	[526, 526, 'NO_DIALOG'],
	[527, 527, 'REFUSED'],
	[528, 528, 'TIMED_OUT'],
	[529, 529, 'PIN_WRONG'],
	[530, 530, 'PIN_BLOCKED'],
	[531, 531, 'CANCELLED'],
	[600, 699, 'ISSUER_ERROR'],
	[700, 701, 'ISSUER_UNREACHABLE'],
	[702, 704, 'ISSUER_ERROR'],
	[705, 705, 'ISSUER_UNREACHABLE'],
	[706, 710, 'ISSUER_ERROR'],
	[711, 711, 'APPROVAL_PENDING'],
	[712, 712, 'PAGE_GONE'],
	[713, 713, 'ORIGIN_REFUSED'],
	[714, 714, 'AGENT_FORBIDDEN'],
	[803, 803, 'ISSUER_UNREACHABLE'],
	[810, 810, 'BUSY'],
	[100, 399, 'ISSUER_ERROR'],
];

export function codeOf(number) {
	const row = RANGES.find(([from, to]) => number >= from && number <= to);
	return row === undefined ? 'INTERNAL' : row[2];
}

// Whether the code says as much as any of its numbers.
export function isSaid(code) {
	return RANGES.filter((row) => row[2] === code)
		.reduce((n, [from, to]) => n + to - from + 1, 0) === 1;
}

// The text of what to do. What the agent advises is for its command line; it
// counts where a code says too little.
const BY_NUMBER = ['ISSUER_ERROR', 'INTERNAL', 'CARD_ERROR'];

export function remedyKey(code, number) {
	return 'remedy_' + (Number.isInteger(number) && BY_NUMBER.includes(code) ?
		number : code);
}
