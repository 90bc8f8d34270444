#!/usr/bin/env python3
"""Who may include what: reads the #include lines of storage/, config/ and proxy/ and fails on a breach.

    layering_test.py ROOT           checks a source tree; prints every breach as file:line
    layering_test.py --self-test ROOT    first plants breaches of every rule in scratch trees and expects them found
"""
import os
import re
import sys
import tempfile
import unittest

INCLUDE = re.compile(r'^\s*#\s*(?:include|import)\s*([<"])([^>"]+)[>"]')
SOURCES = ('.h', '.hh', '.hpp', '.cc', '.cpp', '.cxx', '.inc')
FOLDERS = ('storage', 'config', 'proxy')


def under(path, *folders):
    return any(path.startswith(folder + '/') for folder in folders)


def storage_is_the_bottom(path, header):
    return under(path, 'storage') and under(header, 'proxy', 'config')


def config_knows_only_errors(path, header):
    return under(path, 'config') and under(header, 'proxy', 'storage') and header != 'storage/error.h'


def oci_is_pure(path, header):
    if not under(path, 'proxy/oci') or not under(header, 'proxy', 'config') or under(header, 'proxy/oci'):
        return False
    return not (header == 'proxy/net/http.h' and path.startswith('proxy/oci/registry_error.'))


def net_knows_no_registry(path, header):
    return under(path, 'proxy/net') and under(header, 'proxy', 'config') and not under(header, 'proxy/net')


def only_the_root_knows_the_configuration(path, header):
    app = re.match(r'proxy/(main|app[^/]*)\.(cc|h)$', path) or under(path, 'proxy/cli')
    return under(path, 'proxy') and under(header, 'config') and not app


def rocksdb_in_one_file(path, header):
    return under(header, 'rocksdb') and path != 'storage/rocks_catalog.cc'


def openssl_in_few_places(path, header):
    openssl = under(header, 'openssl') or under(header, 'boost/asio/ssl') or header == 'boost/asio/ssl.hpp'
    places = ('storage/digest.cc', 'proxy/ingress/certificate_authority.cc', 'proxy/ingress/credential_tokens.cc')
    return openssl and path not in places and not under(path, 'proxy/net')


def beast_in_net(path, header):
    beast = under(header, 'boost/beast') or header == 'boost/beast.hpp'
    return beast and not under(path, 'proxy/net')


def yaml_in_config_and_warm(path, header):
    return under(header, 'yaml-cpp') and not under(path, 'config', 'proxy/warm')


RULES = (
    (storage_is_the_bottom, 'storage includes neither proxy nor config'),
    (config_knows_only_errors, 'config includes nothing of proxy, and of storage only error.h'),
    (oci_is_pure, 'proxy/oci includes nothing else of proxy, but net/http.h in registry_error'),
    (net_knows_no_registry, 'proxy/net includes nothing else of proxy'),
    (only_the_root_knows_the_configuration, 'only main, app and cli turn configuration into options'),
    (rocksdb_in_one_file, 'RocksDB only in storage/rocks_catalog.cc'),
    (openssl_in_few_places, 'OpenSSL only in storage/digest.cc, proxy/net, the CA and the tokens that hold credentials'),
    (beast_in_net, 'Beast only in proxy/net'),
    (yaml_in_config_and_warm, 'yaml-cpp only in config and proxy/warm'),
)


def resolve(root, path, kind, header):
    """The header's path from the root: quoted names may be relative to the file, and any may hold '..'."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), header))
    if kind == '"' and not os.path.exists(os.path.join(root, header)) and os.path.exists(os.path.join(root, beside)):
        return beside.replace(os.sep, '/')
    return os.path.normpath(header).replace(os.sep, '/')


def sources(root):
    for folder in FOLDERS:
        for base, _, names in sorted(os.walk(os.path.join(root, folder))):
            for name in sorted(names):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(base, name), root).replace(os.sep, '/')


def breaches(root):
    found = []
    for path in sources(root):
        with open(os.path.join(root, path), encoding='utf-8', errors='replace') as text:
            for number, line in enumerate(text, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                header = resolve(root, path, *match.groups())
                found += [f'{path}:{number}: includes {header}: {why}' for rule, why in RULES if rule(path, header)]
    return found


class Planted(unittest.TestCase):
    """Each case: a file, an include line, and whether it is a breach."""

    CASES = (
        ('storage/a.cc', '#include "proxy/oci/reference.h"', True),
        ('storage/a.h', '#include "config/options.h"', True),
        ('storage/bundle/a.cc', '#include <proxy/net/http.h>', True),
        ('storage/a.cc', '#include "../proxy/net/http.h"', True),
        ('storage/a.cc', '#include "storage/b.h"', False),
        ('config/a.cc', '#include "proxy/oci/reference.h"', True),
        ('config/a.cc', '#include "storage/digest.h"', True),
        ('config/a.cc', '#include "storage/error.h"', False),
        ('config/a.cc', '#include "config/options.h"', False),
        ('proxy/oci/a.cc', '#include "proxy/net/url.h"', True),
        ('proxy/oci/a.cc', '#include "proxy/net/http.h"', True),
        ('proxy/oci/a.cc', '#include "config/options.h"', True),
        ('proxy/oci/registry_error.h', '#include "proxy/net/http.h"', False),
        ('proxy/oci/registry_error.cc', '#include "proxy/net/url.h"', True),
        ('proxy/oci/a.cc', '#include "storage/digest.h"', False),
        ('proxy/net/a.cc', '#include "proxy/oci/reference.h"', True),
        ('proxy/net/a.cc', '#include "proxy/net/b.h"', False),
        ('proxy/fill/a.cc', '#include "config/options.h"', True),
        ('proxy/app_build.cc', '#include "config/options.h"', False),
        ('proxy/main.cc', '#include "config/yaml_loader.h"', False),
        ('proxy/cli/serve.cc', '#include "config/yaml_loader.h"', False),
        ('storage/catalog.cc', '#include <rocksdb/db.h>', True),
        ('proxy/a.cc', '#include <rocksdb/db.h>', True),
        ('storage/rocks_catalog.h', '#include <rocksdb/db.h>', True),
        ('storage/rocks_catalog.cc', '#include <rocksdb/db.h>', False),
        ('storage/digest.h', '#include <openssl/evp.h>', True),
        ('storage/digest.cc', '#include <openssl/evp.h>', False),
        ('proxy/net/tls.cc', '#include <openssl/ssl.h>', False),
        ('proxy/upstream/a.cc', '#include <openssl/ssl.h>', True),
        ('proxy/upstream/a.cc', '#include <boost/asio/ssl/context.hpp>', True),
        ('proxy/upstream/a.cc', '#include <boost/asio/ssl.hpp>', True),
        ('proxy/upstream/a.cc', '#include <boost/asio/post.hpp>', False),
        ('proxy/registry/a.cc', '#include <boost/beast/http.hpp>', True),
        ('proxy/registry/a.cc', '  #  include <boost/beast.hpp>', True),
        ('proxy/net/a.cc', '#include <boost/beast/http.hpp>', False),
        ('proxy/cli/a.cc', '#include <yaml-cpp/yaml.h>', True),
        ('proxy/warm/a.cc', '#include <yaml-cpp/yaml.h>', False),
        ('config/a.cc', '#include <yaml-cpp/yaml.h>', False),
        ('storage/a.cc', '// #include "proxy/oci/reference.h"', False),
    )

    def plant(self, files):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        for path, text in files.items():
            full = os.path.join(root.name, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as out:
                out.write(text)
        return root.name

    def test_each_rule_finds_its_breach_and_nothing_else(self):
        for path, line, is_breach in self.CASES:
            with self.subTest(path=path, line=line):
                root = self.plant({path: f'#pragma once\n{line}\n', 'proxy/net/http.h': '', 'storage/b.h': ''})
                found = breaches(root)
                self.assertEqual(len(found) > 0, is_breach, found)
                if is_breach:
                    self.assertTrue(found[0].startswith(f'{path}:2: '), found)

    def test_every_rule_has_a_planted_breach(self):
        unseen = {why for _, why in RULES}
        for path, line, _ in self.CASES:
            for found in breaches(self.plant({path: line, 'proxy/net/http.h': ''})):
                unseen -= {why for why in unseen if found.endswith(why)}
        self.assertEqual(unseen, set())

    def test_a_name_relative_to_its_file_is_followed(self):
        root = self.plant({'storage/deep/a.cc': '#include "../../proxy/x.h"\n', 'proxy/x.h': ''})
        self.assertEqual(len(breaches(root)), 1)

    def test_the_exit_status_tells(self):
        self.assertEqual(main([self.plant({'storage/a.cc': '#include <rocksdb/db.h>\n'})], quiet=True), 1)
        self.assertEqual(main([self.plant({'storage/a.cc': '#include <vector>\n'})], quiet=True), 0)
        self.assertEqual(main([self.plant({'README.md': ''})], quiet=True), 2)  # nothing checked is no success


def main(arguments, quiet=False):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    checked = sum(1 for _ in sources(arguments[0]))
    found = breaches(arguments[0])
    if not quiet:
        print('\n'.join(found + [f'{checked} files, {len(found)} breaches']))
    if checked == 0:
        return 2
    return 1 if found else 0


if __name__ == '__main__':
    if sys.argv[1:2] == ['--self-test']:
        if not unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful():
            sys.exit(1)
        del sys.argv[1]
    sys.exit(main(sys.argv[1:]))
