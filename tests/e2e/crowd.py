#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""So many browsers of one network keep a connection each; is one more served?

usage: crowd.py ADDRESS PORT CONNECTIONS
"""
import socket
import ssl
import sys
import time

PATIENCE_S = 60
IDLE_S = 14  # a connection that is idle for 15 s goes by itself


def ask(where, context):
    plain = socket.create_connection(where, timeout=PATIENCE_S)
    client = context.wrap_socket(plain)
    client.sendall(b'GET /healthz HTTP/1.1\r\nHost: crowd\r\n\r\n')
    answer = client.recv(4096)
    if not answer.startswith(b'HTTP/1.1 '):
        raise OSError('no answer')
    return client


def main():
    where = (sys.argv[1], int(sys.argv[2]))
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    crowd = [ask(where, context) for _ in range(int(sys.argv[3]))]
    begin = time.monotonic()
    refused = 0
    while True:
        try:
            ask(where, context)
            break
        except OSError as why:
            refused += 1
            if time.monotonic() - begin > IDLE_S:
                sys.exit(f'not served after {refused} tries: {why}')
    print(f'{len(crowd)} idle; one more after {refused} refusals, '
          f'{time.monotonic() - begin:.2f} s')


main()
