#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A chip of a few lines, for a slot: has an answer to reset, refuses every
command."""
import os
import socket
import sys

s = socket.create_connection(('127.0.0.1', int(os.environ['VPCD_PORT'])))


def take(n):
    d = b''
    while len(d) < n:
        p = s.recv(n - len(d))
        if not p:
            sys.exit(0)
        d += p
    return d


while True:
    d = take(int.from_bytes(take(2), 'big'))
    if len(d) == 1:
        if d != b'\x04':
            continue
        r = bytes.fromhex('3b80800101')
    else:
        r = b'\x6d\x00'
    s.sendall(len(r).to_bytes(2, 'big') + r)
