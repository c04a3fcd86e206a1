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
import readline from 'node:readline';
import { Hopeless, until } from './wait.mjs';

const TOP = process.env.TOP ?? process.cwd();
const BUILD = path.resolve(process.env.BUILD ?? path.join(TOP, 'build'));
const PORTS = [35963, 35964];

// A port of the issuer's own, also while it is away: it is bound and does not
// listen, so the kernel gives it to nobody, but lets the issuer have it, too.
const PORT = `
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
sys.stdin.read()
`;

const SUBJECT = 'CN=Ada Lovelace,O=Analytical Engines';

// Another program at the first reader's card.
const OTHER = `
import ctypes, sys, time
p = ctypes.CDLL('libpcsclite.so.1')
c, h, a = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
assert p.SCardEstablishContext(2, None, None, ctypes.byref(c)) == 0
while p.SCardConnect(c, b'Virtual PCD 00 00', 2, 3, ctypes.byref(h),
                     ctypes.byref(a)) or p.SCardBeginTransaction(h):
    time.sleep(0.05)
`;
const HOLDER = OTHER + `
print('held', flush=True)
sys.stdin.read()
`;
// It resets nothing, selects nothing, and says the status word of each command.
const ASKER = OTHER + `
said = []
for command in map(bytes.fromhex, sys.argv[1:]):
    n, out = ctypes.c_ulong(258), ctypes.create_string_buffer(258)
    head = (ctypes.c_ulong * 2)(a.value, 16)
    assert p.SCardTransmit(h, head, command, len(command), None, out,
                           ctypes.byref(n)) == 0
    said.append(out.raw[:n.value][-2:].hex())
p.SCardEndTransaction(h, 0)
p.SCardDisconnect(h, 0)
print(*said, flush=True)
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
	#port = null;
	#hasReader = false;
	#open = new Set();
	#isOver = false; // a case that still runs begins nothing new

	static async make() {
		const w = new World();
		process.once('SIGTERM', () => w.end().finally(() => process.exit(143)));
		try {
			await w.#make();
		} catch (e) {
			await w.end();
			throw e;
		}
		return w;
	}

	async #make() {
		this.top = TOP;
		this.build = BUILD;
		this.work = fs.mkdtempSync(path.join(process.env.TMPDIR ?? os.tmpdir(),
			'b.'));
		this.home = path.join(this.work, 'home');
		this.keys = path.join(this.work, 'keys');
		this.reader = path.join(this.work, 'r');
		this.shots = path.join(BUILD, 'screens');
		this.extension = path.join(this.work, 'x/unpacked');
		fs.mkdirSync(this.home);
		this.#port = this.#helper(PORT);
		this.url = 'https://localhost:' + await this.#port.says;
		fs.mkdirSync(this.shots, { recursive: true });
		this.pinentry = path.join(this.work, 'pinentry');
		this.pinentryBack();
		this.run('mkfifo', path.join(this.home, 'gate'));
		this.pin('good');
		this.env = { ...process.env, HOME: this.home,
			XDG_STATE_HOME: path.join(this.home, 'state'),
			XDG_CONFIG_HOME: path.join(this.home, '.config'),
			XDG_CACHE_HOME: path.join(this.home, '.cache'),
			CARDWRIGHT_PINENTRY: this.pinentry,
			PCSCLITE_CSOCK_NAME: path.join(this.reader, 'pcscd.comm') };
		this.run(path.join(TOP, 'scripts/extension'), path.join(this.work, 'x'));
		this.tool('cardwright-keys', 'dev', '--dir', this.keys, '--url', this.url);
		for (const folder of ['state', 'signer'])
			fs.mkdirSync(path.join(this.keys, folder),
				{ recursive: true, mode: 0o700 });
		this.root = path.join(this.keys, 'tls-root.pem');
		this.blank = path.join(this.work, 'blank.state');
		this.tool('cardwright-card', '--state', this.blank, '--personalise',
			path.join(this.keys, 'cards/card-1.personalisation'));
		this.install();
		await this.readerStart();
		await this.issuerStart();
	}

	// A browser or a screen, which ends no later than the world.
	opened(thing) {
		this.#begin();
		this.#open.add(thing);
	}

	closed(thing) {
		this.#open.delete(thing);
	}

	// A small program that says one line and lives until it is released.
	#helper(text, ...args) {
		const helper = spawn('/usr/bin/python3', ['-c', text, ...args],
			{ stdio: ['pipe', 'pipe', 'inherit'],
				env: this.env ?? process.env });
		helper.ended = once(helper, 'exit');
		helper.says = Promise.race([
			once(readline.createInterface(helper.stdout), 'line')
				.then(([line]) => line),
			helper.ended.then(() => {
				throw new Error('a helper said nothing');
			}),
		]);
		helper.says.catch(() => {}); // who asks is told
		return helper;
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
		// (One that has not looked yet must still go to the gate.)
		const fd = await until('a pinentry stands at the gate', () =>
			fs.openSync(path.join(this.home, 'gate'), O_WRONLY | O_NONBLOCK));
		this.pin('good');
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
		return this.#browserAfter(name, `mount --bind '${folder}' '${place}'`);
	}

	// Likewise with a tree of files, as a package brings it, over the system's.
	browserOver(name, tree) {
		return this.#browserAfter(name, ['usr', 'etc'].map((top) =>
			'mount -t overlay -o ' +
			`lowerdir='${path.join(tree, top)}':/${top} overlay /${top}`)
			.join(' && '));
	}

	#browserAfter(name, mounts) {
		const file = path.join(this.work, name);
		const inside = path.join(this.work, name + '-inside');
		fs.writeFileSync(inside, `#!/bin/sh\n${mounts} && exec "$@"\n`,
			{ mode: 0o755 });
		fs.writeFileSync(file, '#!/bin/sh\n' +
			`exec unshare ${process.getuid() === 0 ? '' : '-U -r'} -m ` +
			`--propagation private '${inside}' ${name} "$@"\n`,
		{ mode: 0o755 });
		return file;
	}

	// ---- the agent's manifests ----

	install() {
		this.tool('cardwright-agent', 'install', '--user');
	}

	uninstall() {
		this.tool('cardwright-agent', 'uninstall', '--user');
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
		this.#begin();
		this.run(path.join(TOP, 'scripts/reader'), 'start', this.reader,
			...options);
		this.#hasReader = true;
	}

	async readerStop() {
		this.#hasReader = false;
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
		await this.cardOut(slot);
		this.#begin();
		const log = fs.openSync(path.join(this.work, 'card.log'), 'a');
		const card = spawn(path.join(TOP, 'scripts/reader'), ['run',
			this.reader, ...program], { stdio: ['ignore', log, log],
			env: { ...this.env, VPCD_PORT: String(PORTS[slot]) } });
		fs.closeSync(log);
		card.ended = once(card, 'exit');
		this.#cards[slot] = card;
		await until('the card is in', () => {
			if (card.exitCode !== null || card.signalCode !== null)
				throw new Hopeless('the card has ended');
			return this.slotHas(slot, 'Yes');
		});
	}

	// So that everybody has seen it go: a card that comes at once afterwards
	// would be taken for the old one.
	async cardOut(slot = 0) {
		const card = this.#cards[slot];
		if (card === null)
			return;
		this.#cards[slot] = null;
		card.kill('SIGTERM');
		await card.ended;
		if (this.#hasReader)
			await until('the slot is empty', () => this.slotHas(slot, 'No'));
	}

	// Another program begins a transaction on the first reader's card.
	async hold() {
		const holder = this.#helper(HOLDER);
		await holder.says;
		return holder;
	}

	// What another program is told by the card as it was left.
	async asCardSays(...commands) {
		const asker = this.#helper(ASKER, ...commands);
		try {
			return await asker.says;
		} finally {
			await this.release(asker);
		}
	}

	async release(helper) {
		helper?.stdin.end();
		await helper?.ended;
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

	// ---- the issuer ----

	#begin() {
		if (this.#isOver)
			throw new Error('the world has ended');
	}

	async issuerStart() {
		this.#begin();
		if (this.#issuer !== null)
			return;
		const file = path.join(this.work, 'issuer.log');
		const from = fs.existsSync(file) ? fs.statSync(file).size : 0;
		const log = fs.openSync(file, 'a');
		this.#issuer = spawn(path.join(BUILD, 'cardwrightd'), ['--config',
			path.join(this.keys, 'issuer.ini')],
		{ stdio: ['ignore', log, log] });
		fs.closeSync(log);
		this.#issuer.ended = once(this.#issuer, 'exit');
		const said = () => fs.readFileSync(file).subarray(from).toString();
		const ready = await until('the issuer is ready', () => {
			if (this.#issuer.exitCode !== null)
				throw new Hopeless(said());
			return / ready .*\n/.exec(said());
		});
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

	// Pinentries whose agents were killed may still stand at the gate.
	#clearGate() {
		const { O_WRONLY, O_NONBLOCK } = fs.constants;
		if (!fs.existsSync(path.join(this.home, 'gate')))
			return;
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

	// Each part by itself: one that fails keeps no other alive.
	async end() {
		this.#isOver = true;
		const parts = [...this.#open].reverse().map((thing) => () => thing.close());
		parts.push(() => this.#clearGate(), () => this.issuerStop(),
			() => this.readerStop(), () => this.release(this.#port));
		for (const part of parts)
			await Promise.resolve().then(part).catch((e) => console.error(e));
		if (!process.env.CW_KEEP)
			fs.rmSync(this.work, { recursive: true, force: true });
	}
}
