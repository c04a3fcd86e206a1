// SPDX-License-Identifier: Apache-2.0
// A screen in memory (Xvfb), for programs that show windows, and hands on it
// (xdotool). There is no window manager.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { Hopeless, until } from './wait.mjs';

export class Screen {
	#process;
	#ended;

	// Programs that the world starts from now on show their windows here.
	static async open(world) {
		const s = new Screen();
		s.world = world;
		s.#process = spawn('Xvfb', ['-displayfd', '3', '-screen', '0',
			'1070x900x24', '-nolisten', 'tcp', '-fbdir', world.work],
		{ stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
		s.#ended = once(s.#process, 'exit');
		world.opened(s);
		let number = '';
		s.#process.stdio[3].on('data', (data) => { number += data; });
		await until('Xvfb says its number', () => {
			if (s.#process.exitCode !== null)
				throw new Hopeless('Xvfb has ended');
			return number.endsWith('\n');
		});
		Object.assign(world.env, { DISPLAY: ':' + number.trim(),
			LC_ALL: 'C.UTF-8' });
		delete world.env.WAYLAND_DISPLAY;
		return s;
	}

	async close() {
		this.world.closed(this);
		this.#process.kill();
		await this.#ended;
	}

	xdo(...args) {
		return execFileSync('xdotool', args.map(String), { env: this.world.env,
			encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
			timeout: 60000 }).trim();
	}

	// Visible windows that this finds: ['--class', 'pinentry'].
	windows(...by) {
		try {
			return this.xdo('search', '--onlyvisible', ...by).split('\n')
				.filter((id) => id !== '');
		} catch {
			return []; // there is none
		}
	}

	// x, y, width, height.
	place(window) {
		return this.xdo('getwindowgeometry', window).match(/-?\d+/g)
			.map(Number).filter((_, i) => [1, 2, 4, 5].includes(i));
	}

	window(what, ...by) {
		return until(what, () => this.windows(...by)[0]);
	}

	// Xvfb keeps it as xwd: 32 bits a pixel.
	#read() {
		const xwd = fs.readFileSync(path.join(this.world.work, 'Xvfb_screen0'));
		const field = (n) => xwd.readUInt32BE(4 * n);
		return { width: field(4), height: field(5), stride: field(12), xwd,
			from: field(0) + 12 * field(19) }; // behind header and colours
	}

	// How blue it is there, 0 to 255.
	pixel(x, y) {
		const { xwd, from, stride } = this.#read();
		return xwd[from + y * stride + 4 * x];
	}

	// How many dark dots stand side by side there; a text cursor is none.
	dots(x, y, width, height) {
		const { xwd, from, stride } = this.#read();
		let most = 0;
		for (let row = y; row < y + height; row++) {
			let [dots, run] = [0, 0];
			for (let column = x; column < x + width; column++)
				if (xwd[from + row * stride + 4 * column] < 128)
					run++;
				else {
					dots += run > 2;
					run = 0;
				}
			most = Math.max(most, dots);
		}
		return most;
	}

	picture(name) {
		const { width, height, stride, xwd, from } = this.#read();
		const rows = Buffer.alloc(height * (1 + 3 * width));
		let to = 0;
		for (let y = 0; y < height; y++) {
			rows[to++] = 0;
			for (let x = 0; x < width; x++) {
				const at = from + y * stride + 4 * x;
				rows[to++] = xwd[at + 2];
				rows[to++] = xwd[at + 1];
				rows[to++] = xwd[at];
			}
		}
		fs.writeFileSync(path.join(this.world.shots, name + '.png'),
			png(width, height, rows));
	}
}

function chunk(type, data) {
	const all = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data,
		Buffer.alloc(4)]);
	all.writeUInt32BE(data.length, 0);
	all.writeUInt32BE(crc(all.subarray(4, -4)), all.length - 4);
	return all;
}

function crc(data) {
	let c = ~0;
	for (const byte of data) {
		c ^= byte;
		for (let bit = 0; bit < 8; bit++)
			c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
	}
	return ~c >>> 0;
}

function png(width, height, rows) {
	const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
	head.writeUInt32BE(width, 0);
	head.writeUInt32BE(height, 4);
	return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
		chunk('IHDR', head), chunk('IDAT', deflateSync(rows)),
		chunk('IEND', Buffer.alloc(0))]);
}
