// SPDX-License-Identifier: Apache-2.0
// What an administrator sets for all users of a computer: policies, where the
// browsers look for them, in a place that only the browser of the test sees.
import fs from 'node:fs';
import path from 'node:path';

const PLACES = {
	chromium: ['/etc/chromium', 'policies/managed/test.json'],
	'firefox-esr': ['/usr/lib/firefox-esr/distribution', 'policies.json'],
};

// The program that starts this browser under these policies.
export function managed(world, program, policies) {
	const [place, name] = PLACES[program];
	const folder = path.join(world.work, 'managed-' + program);
	const file = path.join(folder, name);
	fs.rmSync(folder, { recursive: true, force: true });
	// The place may be a link: what is written must not go where it leads.
	fs.cpSync(fs.realpathSync(place), folder, { recursive: true });
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(file, JSON.stringify(policies));
	return world.browserWith(program, folder, place);
}
