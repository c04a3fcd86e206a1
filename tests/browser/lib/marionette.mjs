// SPDX-License-Identifier: Apache-2.0
// Firefox's own remote protocol: "length:[0,id,command,parameters]" over TCP.
import net from 'node:net';

// A command without an answer fails, so that who polls asks again and who does
// not says which it was. Some wait for a page (timeouts.pageLoad) or a browser.
const ANSWER = 30000;
const LONG = { 'WebDriver:NewSession': 150000, 'WebDriver:Navigate': 150000,
	'WebDriver:ElementClick': 150000, 'Addon:Install': 150000 };

export class Marionette {
	#socket;
	#buffer = Buffer.alloc(0);
	#id = 0;
	#waiting = new Map();
	#greeting;

	static async connect(port) {
		const m = new Marionette();
		m.#socket = net.connect(port, '127.0.0.1');
		m.#socket.on('error', (e) => m.#end(e));
		// Until it has greeted: it may be somebody else.
		m.#socket.setTimeout(20000, () => m.#socket.destroy());
		m.#socket.on('close', () => m.#end(new Error('Firefox has gone')));
		m.#socket.on('data', (data) => m.#data(data));
		await new Promise((resolve, reject) => {
			m.#greeting = resolve;
			m.#waiting.set(0, { resolve, reject });
		});
		m.#socket.setTimeout(0);
		m.#waiting.delete(0);
		return m;
	}

	#end(error) {
		for (const { reject } of this.#waiting.values())
			reject(error);
		this.#waiting.clear();
	}

	#data(data) {
		this.#buffer = Buffer.concat([this.#buffer, data]);
		for (;;) {
			const colon = this.#buffer.indexOf(':');
			if (colon < 0)
				return;
			const length = Number(this.#buffer.subarray(0, colon).toString());
			if (this.#buffer.length < colon + 1 + length)
				return;
			const text = this.#buffer.subarray(colon + 1, colon + 1 + length)
				.toString();
			this.#buffer = this.#buffer.subarray(colon + 1 + length);
			this.#message(JSON.parse(text));
		}
	}

	#message(message) {
		if (!Array.isArray(message))
			return this.#greeting(message);
		const [, id, error, result] = message;
		const waiting = this.#waiting.get(id);
		if (error !== null)
			waiting?.reject(Object.assign(
				new Error(error.error + ': ' + error.message),
				{ code: error.error }));
		else
			waiting?.resolve(result);
	}

	send(command, parameters = {}) {
		const id = ++this.#id;
		const text = JSON.stringify([0, id, command, parameters]);
		let timer;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject });
			timer = setTimeout(reject, LONG[command] ?? ANSWER,
				new Error('Firefox does not answer ' + command));
			this.#socket.write(Buffer.byteLength(text) + ':' + text);
		}).finally(() => {
			clearTimeout(timer);
			this.#waiting.delete(id);
		});
	}

	close() {
		this.#socket.destroy();
	}
}
