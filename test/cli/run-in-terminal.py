"""Runs a command on a pseudo-terminal: python3 run-in-terminal.py COLUMNS COMMAND...

What the command prints is passed on as it is; what comes on standard input is typed. Ends with the command's exit code.
"""
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios

controller, terminal = pty.openpty()
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))


def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


child = subprocess.Popen(sys.argv[2:], stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=own_terminal)
os.close(terminal)
sources = [controller, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if controller in ready:
        try:
            printed = os.read(controller, 65536)
        except OSError:
            break
        if not printed:
            break
        os.write(1, printed)
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(controller, typed)
        else:
            sources.remove(0)
sys.exit(child.wait())
