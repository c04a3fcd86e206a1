// SPDX-License-Identifier: Apache-2.0
// All the real parts around a browser, in one folder: development keys, an
// issuer over TLS, a reader (pcscd with vpcd), cards, the agent with its
// manifests in the person's home, and a pinentry that does as it is told.
// Only what is started here is ended here, by its process id.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { until } from './wait.mjs';

const TOP = process.env.TOP ?? process.cwd();
const BUILD = path.resolve(process.env.BUILD ?? path.join(TOP, 'build'));
const PORTS = [35963, 35964];

// One that nobody has, and that the kernel gives to nobody meanwhile.
async function freePort() {
	for (;;) {
		const port = 10240 + Math.floor(Math.random() * 22528);
		const server = net.createServer().listen(port, '127.0.0.1');
		try {
			await once(server, 'listening');
		} catch {
			continue;
		}
		server.close();
		await once(server, 'close');
		return port;
	}
}

const SUBJECT = 'CN=Ada Lovelace,O=Analytical Engines';

const HOLDER = `
import ctypes, sys
p = ctypes.CDLL('libpcsclite.so.1')
c, h, a = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
assert p.SCardEstablishContext(2, None, None, ctypes.byref(c)) == 0
assert p.SCardConnect(c, sys.argv[1].encode(), 2, 3, ctypes.byref(h),
                      ctypes.byref(a)) == 0
assert p.SCardBeginTransaction(h) == 0
print('held', flush=True)
sys.stdin.read()
`;

// A pinentry is told by a file what to do at GETPIN: good, wrong, slip (wrong
// once), weak, cancel, late, or gate (wait until a line comes through the pipe, then good).
const PINENTRY = `#!/bin/sh
value=
echo OK ready
while read -r line; do
	echo "$line" >>"$HOME/pinentry.log"
	case $line in
	'GETINFO flavor') echo 'D gtk2'; echo OK ;;
	'SETPROMPT PUK'*) value=31415926; echo OK ;;
	'SETPROMPT '*) value=271828; echo OK ;;
	GETPIN)
		read -r mode <"$HOME/pin"
		[ "$mode" != gate ] || { read -r _ <"$HOME/gate"; mode=good; }
		case $mode in
		good) echo "D $value"; echo OK ;;
		wrong) echo 'D 999111'; echo OK ;;
		slip) echo good >"$HOME/pin"; echo 'D 999111'; echo OK ;;
		weak) echo 'D 123456'; echo OK ;;
		late) echo 'ERR 83886142 timeout' ;;
		*) echo 'ERR 83886179 cancelled' ;;
		esac ;;
	BYE) echo OK; exit ;;
	*) echo OK ;;
	esac
done
`;

export class World {
	#cards = [null, null];
	#fresh = 0;
	#issuer = null;

	static async make() {
		const w = new World();
		w.top = TOP;
		w.build = BUILD;
		w.work = fs.mkdtempSync(path.join(process.env.TMPDIR ?? os.tmpdir(),
			'b.'));
		w.home = path.join(w.work, 'home');
		w.keys = path.join(w.work, 'keys');
		w.reader = path.join(w.work, 'r');
		w.shots = path.join(BUILD, 'screens');
		w.extension = path.join(w.work, 'x/unpacked');
		w.url = `https://localhost:${await freePort()}`;
		fs.mkdirSync(w.home);
		fs.mkdirSync(w.shots, { recursive: true });
		w.pinentry = path.join(w.work, 'pinentry');
		w.pinentryBack();
		w.run('mkfifo', path.join(w.home, 'gate'));
		w.pin('good');
		w.env = { ...process.env, HOME: w.home,
			XDG_STATE_HOME: path.join(w.home, 'state'),
			XDG_CONFIG_HOME: path.join(w.home, '.config'),
			XDG_CACHE_HOME: path.join(w.home, '.cache'),
			CARDWRIGHT_PINENTRY: w.pinentry,
			PCSCLITE_CSOCK_NAME: path.join(w.reader, 'pcscd.comm') };
		w.run(path.join(TOP, 'scripts/extension'), path.join(w.work, 'x'));
		w.tool('cardwright-keys', 'dev', '--dir', w.keys, '--url', w.url);
		for (const folder of ['state', 'signer'])
			fs.mkdirSync(path.join(w.keys, folder),
				{ recursive: true, mode: 0o700 });
		w.root = path.join(w.keys, 'tls-root.pem');
		w.blank = path.join(w.work, 'blank.state');
		w.tool('cardwright-card', '--state', w.blank, '--personalise',
			path.join(w.keys, 'cards/card-1.personalisation'));
		w.install();
		await w.readerStart();
		await w.issuerStart();
		return w;
	}

	run(program, ...args) {
		return execFileSync(program, args, { env: this.env ?? process.env,
			encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
	}

	tool(name, ...args) {
		return this.run(path.join(BUILD, name), ...args);
	}

	// OpenSC's PKCS#11 module.
	opensc() {
		return this.run('find', '/usr/lib', '-name', 'opensc-pkcs11.so')
			.split('\n')[0];
	}

	pin(mode) {
		fs.writeFileSync(path.join(this.home, 'pin'), mode + '\n');
	}

	// How often a pinentry was told that the last value was wrong.
	pinErrors() {
		return fs.readFileSync(path.join(this.home, 'pinentry.log'), 'utf8')
			.split('\n').filter((line) => /^SETERROR .*wrong/.test(line)).length;
	}

	// Lets the pinentry behind the gate answer.
	async openGate() {
		const { O_WRONLY, O_NONBLOCK } = fs.constants;
		this.pin('good');
		const fd = await until('a pinentry stands at the gate', () =>
			fs.openSync(path.join(this.home, 'gate'), O_WRONLY | O_NONBLOCK));
		fs.writeSync(fd, '\n');
		fs.closeSync(fd);
	}

	pinentryAway() {
		fs.rmSync(this.pinentry);
	}

	pinentryBack() {
		fs.writeFileSync(this.pinentry, PINENTRY, { mode: 0o755 });
	}

	// A program that starts a browser with this folder in place of one of the
	// system's, for its own eyes only.
	browserWith(name, folder, place) {
		const file = path.join(this.work, name);
		fs.writeFileSync(file, '#!/bin/sh\n' +
			`exec unshare ${process.getuid() === 0 ? '' : '-U -r'} -m ` +
			"--propagation private sh -c 'mount --bind \"$1\" \"$2\" && " +
			`shift 2 && exec "$@"' sh '${folder}' '${place}' ${name} "$@"\n`,
		{ mode: 0o755 });
		return file;
	}

	// ---- the agent's manifests ----

	install() {
		this.tool('cardwright-agent', 'install', '--user');
	}

	manifests() {
		const name = 'io.cardwright.agent.json';
		return ['.config/chromium/NativeMessagingHosts',
			'.mozilla/native-messaging-hosts']
			.map((folder) => path.join(this.home, folder, name));
	}

	// Points the manifests at another program; install() undoes it.
	replaceAgent(program) {
		for (const file of this.manifests()) {
			const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
			fs.writeFileSync(file, JSON.stringify(
				{ ...manifest, path: program }));
		}
	}

	// What this computer remembers of issuers.
	forget() {
		fs.rmSync(path.join(this.env.XDG_STATE_HOME, 'cardwright/issuers'));
	}

	// ---- reader and cards ----

	// With "none" the service runs and has no reader.
	async readerStart(...options) {
		this.run(path.join(TOP, 'scripts/reader'), 'start', this.reader,
			...options);
	}

	async readerStop() {
		await this.cardOut(0);
		await this.cardOut(1);
		this.run(path.join(TOP, 'scripts/reader'), 'stop', this.reader);
	}

	slotHas(slot, state) {
		let list = '';
		try {
			list = this.run('opensc-tool', '--list-readers');
		} catch {
			return false;
		}
		return list.split('\n').some((line) =>
			line.endsWith('Virtual PCD 00 0' + slot) &&
			line.trim().split(/\s+/)[1] === state);
	}

	// A card that nobody has used yet.
	freshCard() {
		const state = path.join(this.work, `card-${++this.#fresh}.state`);
		fs.copyFileSync(this.blank, state);
		return state;
	}

	async cardIn(slot = 0, state = this.freshCard()) {
		await this.#insert(slot, path.join(BUILD, 'cardwright-card'), '--state',
			state, '--port', String(PORTS[slot]));
		return state;
	}

	// A chip that knows no command of ours.
	chipIn(slot) {
		return this.#insert(slot, '/usr/bin/python3',
			path.join(TOP, 'tests/e2e/chip.py'));
	}

	async #insert(slot, ...program) {
		const log = fs.openSync(path.join(this.work, 'card.log'), 'a');
		const card = spawn(path.join(TOP, 'scripts/reader'), ['run',
			this.reader, ...program], { stdio: ['ignore', log, log],
			env: { ...this.env, VPCD_PORT: String(PORTS[slot]) } });
		fs.closeSync(log);
		card.ended = once(card, 'exit');
		this.#cards[slot] = card;
		await until('the card is in', () => this.slotHas(slot, 'Yes'));
	}

	async cardOut(slot = 0) {
		const card = this.#cards[slot];
		if (card === null)
			return;
		this.#cards[slot] = null;
		card.kill('SIGTERM');
		await card.ended;
	}

	// Another program begins a transaction on the first reader's card.
	async hold() {
		const holder = spawn('/usr/bin/python3', ['-c', HOLDER,
			'Virtual PCD 00 00'], { stdio: ['pipe', 'pipe', 'ignore'],
			env: this.env });
		holder.ended = once(holder, 'exit');
		await once(holder.stdout, 'data');
		return holder;
	}

	async release(holder) {
		holder.stdin.end();
		await holder.ended;
	}

	// The service turns this user away, as with polkit: it closes the
	// connection before a word (winscard_svc.c, ContextThread).
	async forbid() {
		const real = this.reader + '/pcscd.comm';
		fs.renameSync(real, real + '.real');
		const server = net.createServer((socket) => socket.destroy())
			.listen(real);
		await once(server, 'listening');
		return async () => {
			server.close();
			await once(server, 'close');
			fs.renameSync(real + '.real', real);
		};
	}

	// So that everybody has seen it go: a card that comes at once afterwards may
	// be taken for the old one.
	async pull(slot = 0) {
		await this.cardOut(slot);
		await until('the slot is empty', () => this.slotHas(slot, 'No'));
	}

	// ---- the issuer ----

	async issuerStart() {
		const file = path.join(this.work, 'issuer.log');
		const from = fs.existsSync(file) ? fs.statSync(file).size : 0;
		const log = fs.openSync(file, 'a');
		this.#issuer = spawn(path.join(BUILD, 'cardwrightd'), ['--config',
			path.join(this.keys, 'issuer.ini')],
		{ stdio: ['ignore', log, log] });
		fs.closeSync(log);
		this.#issuer.ended = once(this.#issuer, 'exit');
		const ready = await until('the issuer is ready', () =>
			/ ready .*/.exec(fs.readFileSync(file).subarray(from).toString()));
		this.holder = / holder=(\S+)/.exec(ready[0])[1];
	}

	async issuerStop() {
		const issuer = this.#issuer;
		this.#issuer = null;
		issuer?.kill('SIGTERM');
		await issuer?.ended;
	}

	// The link as the operator gets it.
	invite(...options) {
		return this.#admin('invite', '--subject', SUBJECT, '--profile', 'person',
			...options);
	}

	#admin(...args) {
		return this.tool('cardwright-admin', '--config',
			path.join(this.keys, 'issuer.ini'), ...args).trim();
	}

	// Both operators agree to whatever waits for them.
	approve() {
		const waiting = this.#admin('approvals').split('\n');
		for (const session of waiting.map((line) => line.split(' ')[0]))
			for (const operator of [1, 2])
				this.#admin('approve', session, '--subject', SUBJECT,
					'--operator-key',
					path.join(this.keys, `operator-${operator}.key`));
	}

	// Every process of the agent that this world's browser has started.
	agents() {
		const found = [];
		for (const pid of fs.readdirSync('/proc').filter((p) => /^\d+$/.test(p)))
			try {
				if (fs.readlinkSync(`/proc/${pid}/exe`) ===
				    path.join(BUILD, 'cardwright-agent') &&
				    fs.readFileSync(`/proc/${pid}/environ`, 'utf8')
				    	.includes(this.home))
					found.push(Number(pid));
			} catch {
				// gone meanwhile, or not ours
			}
		return found;
	}

	// Pinentries whose agents were killed still stand at the gate.
	#clearGate() {
		const { O_WRONLY, O_NONBLOCK } = fs.constants;
		this.pin('cancel');
		return until('nobody stands at the gate', () => {
			try {
				fs.closeSync(fs.openSync(path.join(this.home, 'gate'),
					O_WRONLY | O_NONBLOCK));
				return false;
			} catch {
				return true; // ENXIO: no reader
			}
		});
	}

	async end() {
		await this.#clearGate();
		await this.issuerStop();
		await this.readerStop();
		if (!process.env.CW_KEEP)
			fs.rmSync(this.work, { recursive: true, force: true });
	}
}
