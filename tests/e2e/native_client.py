#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The extension's part, without a browser: starts the native host, speaks its
frames, and does the page's HTTP.

usage: native_client.py [OPTION...] AGENT [ARGUMENT...]

Prints every message of the host as a line of JSON. Exit status: 0 after
`done`, 1 after `failed`, 2 when the host ends without either, 3 when the page
does not let anybody begin.

  --ca FILE          trust these roots
  --invitation URL   open it, and start with its Intent
  --intent HEX       or start with these bytes
  --origin ORIGIN    instead of the invitation's
  --reader NAME      accept with this reader
  --at PLACE         where something happens: hello, consent, wait:WORD,
                     post:N, progress:KEY (the first time)
  --then WHAT        what happens there: kill (-9), eof, term, cancel, refuse,
                     silence, run:COMMAND, or reply:ERROR
  --watch            instead, show every status until killed
  --raw HEX          instead of all that, write these bytes
"""
import argparse
import base64
import http.client
import json
import os
import re
import signal
import ssl
import struct
import subprocess
import sys
import time
import urllib.parse

MEDIA = 'application/cardwright+cbor'


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


class Page:
    """One origin, its cookie, no redirection but the invitation's."""

    def __init__(self, ca):
        self.context = ssl.create_default_context(cafile=ca)
        self.cookie = None

    def request(self, method, url, body=None, kind=None):
        u = urllib.parse.urlsplit(url)
        c = http.client.HTTPSConnection(u.netloc, context=self.context,
                                        timeout=60)
        headers = {'Origin': 'https://' + u.netloc}
        if self.cookie:
            headers['Cookie'] = self.cookie
        if kind:
            headers['Content-Type'] = kind
        c.request(method, u.path, body, headers)
        r = c.getresponse()
        data = r.read()
        if r.getheader('Set-Cookie'):
            self.cookie = r.getheader('Set-Cookie').split(';')[0]
        c.close()
        return r, data

    def intent(self, url):
        """The Intent, or the end: the page says that there is none."""
        r, _ = self.request('POST', url)
        if r.status != 303:
            print(json.dumps({'page': r.status}))
            sys.exit(3)
        at = urllib.parse.urljoin(url, r.getheader('Location'))
        r, _ = self.request('GET', at)
        link = re.match(r'<([^>]*)>', r.getheader('Link')).group(1)
        return self.request('GET', urllib.parse.urljoin(at, link))[1]


class Host:
    def __init__(self, command):
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)

    def say(self, message):
        data = json.dumps(message).encode()
        try:
            self.p.stdin.write(struct.pack('=I', len(data)) + data)
            self.p.stdin.flush()
        except BrokenPipeError:
            pass

    def hear(self):
        head = self.p.stdout.read(4)
        if len(head) < 4:
            return None
        data = self.p.stdout.read(struct.unpack('=I', head)[0])
        return json.loads(data.decode())


def gone(host, start):
    host.p.wait(timeout=60)
    print(json.dumps({'gone_ms': int((time.time() - start) * 1000),
                      'status': host.p.returncode}))


def happen(host, what):
    """True if the conversation goes on."""
    start = time.time()
    if what == 'kill':
        host.p.kill()
    elif what == 'eof':
        host.p.stdin.close()
    elif what == 'term':
        host.p.send_signal(signal.SIGTERM)
    elif what in ('cancel', 'refuse'):
        host.say({'type': what})
        return True
    elif what == 'silence':
        return True
    elif what.startswith('run:'):
        subprocess.run(what[4:], shell=True, check=True)
        return True
    if what in ('eof', 'term'):
        while host.hear():
            pass
    gone(host, start)
    return False


def places(m):
    kind = m['type']
    if kind == 'wait':
        return 'wait:%s' % m['for']
    if kind == 'post':
        return 'post:%d' % m['id']
    if kind == 'progress':
        return 'progress:%s' % m['key']
    return kind


def answer(host, page, a, m, replaced):
    if m['type'] == 'consent' and not replaced:
        host.say({'type': 'accept', 'reader': a.reader})
    elif m['type'] == 'post' and replaced.startswith('reply:'):
        host.say({'type': 'reply', 'id': m['id'], 'error': replaced[6:]})
    elif m['type'] == 'post' and not replaced:
        try:
            r, data = page.request('POST', m['url'], unb64(m['body']), MEDIA)
        except OSError:
            host.say({'type': 'reply', 'id': m['id'], 'error': 'network'})
            return
        after = r.getheader('Retry-After')
        host.say({'type': 'reply', 'id': m['id'], 'status': r.status,
                  'content_type': r.getheader('Content-Type'),
                  'retry_after': int(after) if after else None,
                  'body': b64(data)})


def converse(host, page, a, intent, origin):
    host.say({'type': 'hello', 'version': 1, 'extension': '1.0.0',
              'languages': ['en']})
    pending = bool(a.then)
    while True:
        m = host.hear()
        if m is None:
            return 2
        print(json.dumps(m), flush=True)
        replaced = ''
        if pending and places(m) == a.at:
            pending = False
            if a.then.startswith('reply:'):
                replaced = a.then
            elif not happen(host, a.then):
                return 0
            elif not a.then.startswith('run:'):
                replaced = a.then
        if m['type'] == 'hello' and not replaced:
            if intent is None:
                host.say({'type': 'status', 'watch': a.watch})
            else:
                host.say({'type': 'start', 'origin': origin,
                          'intent': b64(intent)})
        elif m['type'] == 'status':
            if not a.watch:
                return 0
        elif m['type'] in ('done', 'failed'):
            start = time.time()
            gone(host, start)
            return 0 if m['type'] == 'done' else 1
        else:
            answer(host, page, a, m, replaced)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--ca')
    p.add_argument('--invitation')
    p.add_argument('--intent')
    p.add_argument('--origin')
    p.add_argument('--reader')
    p.add_argument('--at', default='')
    p.add_argument('--then', default='')
    p.add_argument('--raw')
    p.add_argument('--watch', action='store_true')
    p.add_argument('command', nargs=argparse.REMAINDER)
    a = p.parse_args()
    page = Page(a.ca)
    intent = bytes.fromhex(a.intent) if a.intent is not None else None
    origin = a.origin
    if a.invitation:
        intent = page.intent(a.invitation)
        u = urllib.parse.urlsplit(a.invitation)
        origin = origin or 'https://' + u.netloc
    host = Host(a.command)
    if a.raw is not None:
        host.p.stdin.write(bytes.fromhex(a.raw))
        host.p.stdin.flush()
        m = host.hear()
        print(json.dumps(m))
        gone(host, time.time())
        return 0 if m is None else 1
    return converse(host, page, a, intent, origin)


if __name__ == '__main__':
    sys.exit(main())
