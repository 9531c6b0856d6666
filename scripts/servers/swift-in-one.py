"""
A whole Swift on loopback in one process: proxy, account, container and object server, one replica on one device, for tests.

    /usr/bin/python3 swift-in-one.py FOLDER PROXY_PORT ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT

FOLDER holds swift.conf and {proxy,account,container,object}-server.conf. Four processes would need three seconds to start,
and as many to be killed. The servers are Debian's own, as their commands load them; memcached alone, in which Swift keeps
tokens, is a dictionary here.
"""
import os
import sys

import eventlet
import eventlet.hubs

eventlet.hubs.use_hub()
eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True, time=True)

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402

FOLDER, PORTS = sys.argv[1], [int(port) for port in sys.argv[2:6]]
utils.set_swift_dir(FOLDER)

from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402


def check_attributes(folder):
    """Swift keeps the metadata of objects in extended attributes, which not every file system has."""
    probe = os.path.join(folder, 'probe')
    open(probe, 'w').close()
    try:
        os.setxattr(probe, 'user.swift', b'1')
    except OSError as error:
        sys.exit('%s is on a file system without extended attributes (%s); set TMPDIR to another.' % (folder, error))
    os.remove(probe)


def make_rings(folder, ports):
    for name, port in zip(('account', 'container', 'object'), ports):
        ring = os.path.join(folder, name + '.ring.gz')
        if os.path.exists(ring):
            continue
        builder = RingBuilder(2, 1, 1)
        builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'weight': 1, 'ip': '127.0.0.1', 'port': port, 'device': 'disk'})
        builder.rebalance()
        builder.get_ring().save(ring)


class Cache:
    """What middleware asks of a client of memcached."""

    def __init__(self):
        self.values = {}

    def get(self, key, raise_on_error=False):
        return self.values.get(key)

    def set(self, key, value, serialize=True, time=0, min_compress_len=0, raise_on_error=False):
        # As through JSON: what was a tuple comes back as a list.
        self.values[key] = list(value) if isinstance(value, tuple) else value

    def incr(self, key, delta=1, time=0):
        self.values[key] = max(0, int(self.values.get(key, 0)) + int(delta))
        return self.values[key]

    def decr(self, key, delta=1, time=0):
        return self.incr(key, -int(delta), time)

    def delete(self, key, server_key=None):
        self.values.pop(key, None)

    def set_multi(self, mapping, server_key, serialize=True, time=0, min_compress_len=0):
        for key, value in mapping.items():
            self.set(key, value)

    def get_multi(self, keys, server_key):
        return [self.get(key) for key in keys]


def with_cache(app):
    cache = Cache()

    def call(env, start_response):
        env['swift.cache'] = cache
        return app(env, start_response)
    return call


def serve(name, port):
    app = loadapp(os.path.join(FOLDER, name + '-server.conf'), global_conf={'log_name': name})
    app = with_cache(app) if name == 'proxy' else app
    # s3api needs an "ETag" that is spelt so.
    return eventlet.spawn(
        wsgi.server, eventlet.listen(('127.0.0.1', port), backlog=512), app, utils.NullLogger(), protocol=SwiftHttpProtocol,
        socket_timeout=60, capitalize_response_headers=False, max_size=512)


if __name__ == '__main__':
    check_attributes(FOLDER)
    make_rings(FOLDER, PORTS[1:])
    os.makedirs(os.path.join(FOLDER, 'devices', 'disk'), exist_ok=True)
    # The proxy last: whoever reaches it reaches all.
    for server in [serve(name, port) for name, port in zip(('account', 'container', 'object', 'proxy'), PORTS[1:] + PORTS[:1])]:
        server.wait()
