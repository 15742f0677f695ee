"""Processes that stand where the language model's process stands, each with a fault of its own."""

from __future__ import annotations

import sys

_START = """
import json, os, sys, time
def read():
    return json.loads(sys.stdin.buffer.readline())
def say(**message):
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()
"""

READY = _START + 'read(); say(**{"is": "ready", "n_context": 512})\n'
ECHO = READY + (
    "while True:\n"
    "    asked = read()\n"
    "    n = asked['number']\n"
    "    say(**{'is': 'piece', 'number': n, 'text': 'You said: '})\n"
    "    say(**{'is': 'piece', 'number': n, 'text': asked['user']})\n"
    "    say(**{'is': 'done', 'number': n, 'n_tokens': 2, 'whole': True})\n"
)
HANGS = READY + "time.sleep(600)\n"
HANGS_AT_START = _START + "time.sleep(600)\n"
TALKS_ON = READY + (
    "n = read()['number']\n"
    "while True:\n"
    "    say(**{'is': 'piece', 'number': n, 'text': 'and '}); time.sleep(0.05)\n"
)
DIES = READY + (
    "n = read()['number']\n"
    "say(**{'is': 'piece', 'number': n, 'text': 'You '})\n"
    "sys.stderr.write('out of memory'); sys.stderr.flush(); os.abort()\n"
)
DIES_AT_START = _START + "raise SystemExit(3)\n"
BABBLES = READY + "read(); print('ggml: hello'); sys.stdout.flush(); time.sleep(600)\n"
ANSWERS_ANOTHER = READY + (
    "n = read()['number']\n"
    "say(**{'is': 'done', 'number': n + 1, 'n_tokens': 0, 'whole': True}); time.sleep(600)\n"
)
ENDLESS_LINE = READY + (
    "read()\nwhile True:\n    sys.stdout.write('x' * 65536); sys.stdout.flush()\n"
)
NO_RUNTIME = _START + 'read(); say(**{"is": "failed", "fault": "missing_runtime", "detail": "x"})\n'


def command(program: str) -> tuple[str, ...]:
    """How to start one of them."""
    return (sys.executable, "-c", program)
