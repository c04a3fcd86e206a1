// SPDX-License-Identifier: Apache-2.0
// agent/extension/codes.js against proto/base/errors.def and the catalogue.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , folder, errors] = process.argv;
const { codeOf } = await import(
	pathToFileURL(path.resolve(folder, 'codes.js')));
const texts = JSON.parse(fs.readFileSync(
	path.join(folder, '_locales/en/messages.json'), 'utf8'));
const rows = [...fs.readFileSync(errors, 'utf8')
	.matchAll(/^CW_ERR\((\d+), (\w+),/gm)];
assert.ok(rows.length > 100);
for (const [, number, name] of rows) {
	const code = codeOf(Number(number));
	assert.ok(texts['problem_' + code] && texts['remedy_' + code],
		`${name} ${code}`);
}
const want = { 502: 'NO_READER', 506: 'CARD_REMOVED', 521: 'PIN_BLOCKED',
	527: 'REFUSED', 531: 'CANCELLED', 711: 'APPROVAL_PENDING',
	307: 'ISSUER_ERROR', 404: 'CARD_ERROR', 901: 'INTERNAL' };
for (const [number, code] of Object.entries(want))
	assert.equal(codeOf(Number(number)), code);
for (const number of [undefined, null, NaN, 0, 99999, 'x'])
	assert.equal(codeOf(number), 'INTERNAL');
