"""A thousand lines of what Python programs do every day: each function is a check, and says one line.

What depends on time, process ids or addresses is not printed, so the output is the same wherever it runs.
"""

import array
import ast
import asyncio
import base64
import binascii
import bisect
import bz2
import calendar
import collections
import concurrent.futures
import configparser
import contextlib
import copy
import csv
import ctypes
import dataclasses
import datetime
import decimal
import difflib
import enum
import errno
import fcntl
import fnmatch
import fractions
import functools
import gc
import glob
import gzip
import hashlib
import heapq
import hmac
import html
import inspect
import io
import itertools
import json
import logging
import lzma
import math
import mmap
import multiprocessing
import operator
import os
import pathlib
import pickle
import platform
import pty
import queue
import random
import re
import resource
import sched
import secrets
import select
import selectors
import shlex
import shutil
import signal
import socket
import sqlite3
import stat
import statistics
import string
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import textwrap
import threading
import time
import traceback
import types
import urllib.parse
import uuid
import weakref
import xml.etree.ElementTree
import zipfile
import zlib

CHECKS = []


def check(function):
    """Puts a function into the list of checks."""
    CHECKS.append(function)
    return function


def equal(got, want):
    """Two things are the same."""
    if got != want:
        raise AssertionError(f"{got!r}, not {want!r}")


def raises(kind, function, *words):
    """A call raises, and what it raised is the answer."""
    try:
        function(*words)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


# Data


@check
def text():
    equal("äöü€".encode(), b"\xc3\xa4\xc3\xb6\xc3\xbc\xe2\x82\xac")
    equal(b"\xff".decode("latin-1"), "\xff")
    raises(UnicodeDecodeError, b"\xff".decode)
    equal("{:>8.3f}|{:<6}|{:^6}".format(math.pi, "ab", "cd"), "   3.142|ab    |  cd  ")
    equal(f"{255:#x} {255:08b} {1234567:,}", "0xff 11111111 1,234,567")
    equal("a,b,,c".split(","), ["a", "b", "", "c"])
    equal("one two".title().swapcase(), "oNE tWO")
    equal("x".join("abc"), "axbxc")
    equal("%s %r %5d" % ("a", "b", 42), "a 'b'    42")
    equal(string.Template("$a and ${b}").substitute(a=1, b=2), "1 and 2")
    equal(textwrap.fill("the quick brown fox jumps", 10).splitlines(), ["the quick", "brown fox", "jumps"])
    equal(textwrap.dedent("  a\n    b\n"), "a\n  b\n")


@check
def numbers():
    equal(2**200 % 1000007, pow(2, 200, 1000007))
    equal(str(math.factorial(30)), "265252859812191058636308480000000")
    equal(math.isqrt(10**40), 10**20)
    equal(math.gcd(2**40, 6**20), 2**20)
    equal(round(math.sin(1.0) ** 2 + math.cos(1.0) ** 2, 12), 1.0)
    equal(int("-0x1f", 16), -31)
    equal((-7) // 2, -4)
    equal(divmod(-7, 2), (-4, 1))
    equal(float("inf") > 1e308, True)
    equal(math.isnan(float("nan")), True)
    equal((0.1).hex(), "0x1.999999999999ap-4")
    equal(complex(1, 2) * complex(3, -1), complex(5, 5))
    equal(decimal.Decimal("1") / decimal.Decimal("7"), decimal.Decimal("0.1428571428571428571428571429"))
    equal(fractions.Fraction(1, 3) + fractions.Fraction(1, 6), fractions.Fraction(1, 2))
    raises(ZeroDivisionError, operator.truediv, 1, 0)
    raises(OverflowError, math.exp, 1000)
    equal(statistics.mean([1, 2, 3, 4]), 2.5)
    equal(statistics.median([5, 1, 9]), 5)


@check
def containers():
    counts = collections.Counter("mississippi")
    equal(counts.most_common(2), [("i", 4), ("s", 4)])
    ring = collections.deque(range(5), maxlen=3)
    ring.appendleft(9)
    equal(list(ring), [9, 2, 3])
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    equal(list(ordered), ["b", "a"])
    groups = collections.defaultdict(list)
    for word in ["apple", "bean", "avocado"]:
        groups[word[0]].append(word)
    equal(dict(groups), {"a": ["apple", "avocado"], "b": ["bean"]})
    chain = collections.ChainMap({"a": 1}, {"a": 2, "b": 3})
    equal((chain["a"], chain["b"]), (1, 3))
    Point = collections.namedtuple("Point", "x y")
    equal(Point(1, 2)._replace(y=5), Point(1, 5))
    heap = [5, 1, 4]
    heapq.heapify(heap)
    equal([heapq.heappop(heap) for _ in range(3)], [1, 4, 5])
    equal(bisect.bisect([1, 3, 5], 3), 2)
    equal({1, 2} ^ {2, 3}, {1, 3})
    equal(sorted({"b": 1, "a": 2}.items()), [("a", 2), ("b", 1)])
    numbers = array.array("i", [1, 2, 3])
    equal(numbers.tobytes(), struct.pack("=3i", 1, 2, 3))
    big = {i: str(i) for i in range(50_000)}
    equal(sum(len(value) for value in big.values()), 238_890)


@check
def functions():
    @functools.lru_cache(maxsize=None)
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    equal(fibonacci(90), 2880067194370816120)
    equal(functools.reduce(operator.mul, range(1, 8)), 5040)
    equal(list(itertools.islice(itertools.count(5, 3), 4)), [5, 8, 11, 14])
    equal(len(list(itertools.permutations(range(5)))), 120)
    equal([key for key, _ in itertools.groupby("aabbbc")], ["a", "b", "c"])
    equal(list(itertools.accumulate([1, 2, 3])), [1, 3, 6])
    add = functools.partial(operator.add, 10)
    equal(list(map(add, [1, 2])), [11, 12])

    @functools.singledispatch
    def name(value):
        return "something"

    @name.register
    def _(value: int):
        return "a number"

    equal((name(1), name("x")), ("a number", "something"))
    equal(str(inspect.signature(lambda a, *b, c=1, **d: None)), "(a, *b, c=1, **d)")


@check
def generators():
    def echo():
        total = 0
        while True:
            try:
                total += yield total
            except ValueError:
                total = -1

    it = echo()
    next(it)
    equal(it.send(5), 5)
    equal(it.throw(ValueError), -1)
    it.close()
    raises(StopIteration, next, it)

    def nested():
        got = yield from inner()
        yield got

    def inner():
        yield 1
        return 2

    equal(list(nested()), [1, 2])
    equal(sum(x * x for x in range(1000) if x % 3 == 0), 111277611)


@check
def classes():
    class Meta(type):
        def __new__(cls, name, bases, members, **words):
            members["tag"] = name.lower()
            return super().__new__(cls, name, bases, members, **words)

    class Base(metaclass=Meta):
        def __init_subclass__(cls, **words):
            cls.words = words

        def __getattr__(self, name):
            return f"no {name}"

    class Derived(Base, extra=1):
        __slots__ = ("value",)

        @property
        def double(self):
            return self.value * 2

        @double.setter
        def double(self, value):
            self.value = value // 2

    it = Derived()
    it.double = 10
    equal((it.value, it.double, it.other, Derived.tag, Derived.words), (5, 10, "no other", "derived", {"extra": 1}))

    @dataclasses.dataclass(order=True, frozen=True)
    class Version:
        major: int
        minor: int = 0
        names: list = dataclasses.field(default_factory=list, compare=False)

    equal(Version(1, 2) < Version(1, 10), True)
    raises(dataclasses.FrozenInstanceError, setattr, Version(1), "major", 2)

    class Colour(enum.Flag):
        RED = enum.auto()
        GREEN = enum.auto()

    equal(Colour.RED | Colour.GREEN in [Colour(3)], True)
    equal([cls.__name__ for cls in Derived.__mro__], ["Derived", "Base", "object"])


@check
def exceptions():
    steps = []
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error
        finally:
            steps.append("finally")
    except ValueError as error:
        steps.append(repr(error.__cause__))
    equal(steps, ["finally", "KeyError('inner')"])

    @contextlib.contextmanager
    def managed():
        steps.append("enter")
        try:
            yield 7
        except RuntimeError:
            steps.append("caught")

    with managed() as value, contextlib.suppress(OSError):
        steps.append(value)
        raise RuntimeError
    equal(steps[2:], ["enter", 7, "caught"])
    try:
        raise ExceptionGroup("several", [ValueError(1), TypeError(2)])
    except* ValueError as group:
        equal(len(group.exceptions), 1)
    except* TypeError as group:
        equal(str(group.exceptions[0]), "2")

    def deep(n):
        return deep(n + 1)

    raises(RecursionError, deep, 0)
    try:
        [][0]
    except IndexError:
        equal(traceback.format_exc().splitlines()[-1], "IndexError: list index out of range")


@check
def matching():
    def kind(value):
        match value:
            case {"type": "point", "at": [x, y]}:
                return x + y
            case [first, *rest] if rest:
                return (first, len(rest))
            case str() | bytes():
                return "text"
            case _:
                return None

    equal(kind({"type": "point", "at": [3, 4]}), 7)
    equal(kind([1, 2, 3]), (1, 2))
    equal(kind("x"), "text")
    equal(kind([1]), None)


@check
def copies():
    nested = {"a": [1, {2, 3}], "b": (4, [5])}
    other = copy.deepcopy(nested)
    other["a"].append(9)
    equal(nested["a"], [1, {2, 3}])
    equal(pickle.loads(pickle.dumps(nested, protocol=5)), nested)
    loop = []
    loop.append(loop)
    again = pickle.loads(pickle.dumps(loop))
    equal(again[0] is again, True)


@check
def memory():
    class Node:
        pass

    gone = []
    node = Node()
    node.itself = node
    weakref.finalize(node, gone.append, 1)
    del node
    gc.collect()
    equal(gone, [1])
    for _ in range(5):
        blocks = [bytearray(1 << 20) for _ in range(20)]
        blocks[7][12345] = 1
        equal(sum(blocks[7]), 1)
        del blocks
    many = [object() for _ in range(200_000)]
    equal(len({id(it) for it in many}), 200_000)


# Formats


@check
def regular_expressions():
    pattern = re.compile(r"(?P<key>\w+)\s*=\s*(?P<value>\"[^\"]*\"|\d+)")
    found = [m.groupdict() for m in pattern.finditer('a = 1, bc="x y"')]
    equal(found, [{"key": "a", "value": "1"}, {"key": "bc", "value": '"x y"'}])
    equal(re.sub(r"(\d+)", lambda m: str(int(m[1]) * 2), "3 and 14"), "6 and 28")
    equal(re.split(r"[,;]\s*", "a, b;c"), ["a", "b", "c"])
    equal(re.findall(r"(?<=@)\w+(?=\.)", "me@example.org"), ["example"])
    equal(bool(re.fullmatch(r"(a|b)*abb", "ab" * 100 + "abb")), True)
    equal(re.match(r"(?i)straße", "STRASSE"), None)
    raises(re.error, re.compile, "(")
    equal(fnmatch.filter(["a.py", "b.txt"], "*.py"), ["a.py"])


@check
def json_documents():
    document = {"a": [1, 2.5, None, True], "ü": {"nested": "\u20ac\n"}}
    equal(json.loads(json.dumps(document)), document)
    equal(json.dumps(document, sort_keys=True), '{"a": [1, 2.5, null, true], "\\u00fc": {"nested": "\\u20ac\\n"}}')
    equal(raises(json.JSONDecodeError, json.loads, '{"a": }').pos, 6)
    big = [{"id": i, "name": f"item {i}"} for i in range(5000)]
    equal(hashlib.sha1(json.dumps(big).encode()).hexdigest(), "1b13eb5bfbb7c000189fc8630f6258c59d137776")


@check
def tables():
    out = io.StringIO()
    writer = csv.DictWriter(out, ["name", "note"])
    writer.writeheader()
    writer.writerow({"name": "a,b", "note": 'say "hi"\n'})
    equal(list(csv.DictReader(io.StringIO(out.getvalue(), newline=""))), [{"name": "a,b", "note": 'say "hi"\n'}])
    parser = configparser.ConfigParser()
    parser.read_string("[paths]\nroot = /srv\nlog = %(root)s/log\n")
    equal(parser["paths"]["log"], "/srv/log")


@check
def markup():
    root = xml.etree.ElementTree.fromstring("<a><b x='1'>t</b><b x='2'/>&lt;</a>")
    equal([b.get("x") for b in root.findall("b")], ["1", "2"])
    equal(xml.etree.ElementTree.tostring(root), b'<a><b x="1">t</b><b x="2" />&lt;</a>')
    equal(html.unescape("&eacute;&#8364;"), "é€")
    equal(html.escape("<&>"), "&lt;&amp;&gt;")


@check
def addresses():
    parts = urllib.parse.urlsplit("https://user@example.org:8080/a/b?x=1&y=%20#end")
    equal((parts.hostname, parts.port, parts.fragment), ("example.org", 8080, "end"))
    equal(urllib.parse.parse_qs(parts.query), {"x": ["1"], "y": [" "]})
    equal(urllib.parse.urljoin("http://a/b/c", "../d"), "http://a/d")
    equal(urllib.parse.quote("a b/ü"), "a%20b/%C3%BC")


@check
def binary():
    equal(struct.unpack("<IhB", struct.pack("<IhB", 7, -2, 255)), (7, -2, 255))
    equal(struct.calcsize("@bq"), 16)
    equal(base64.b64encode(bytes(range(6))), b"AAECAwQF")
    equal(base64.b32decode("MFRGG==="), b"abc")
    equal(binascii.crc32(b"stillpoint"), zlib.crc32(b"stillpoint"))
    view = memoryview(bytearray(b"abcdef"))
    view[1:3] = b"XY"
    equal(view[::2].tobytes(), b"aYe")
    equal((1 << 70).to_bytes(9, "big"), b"\x40" + bytes(8))
    equal(uuid.uuid5(uuid.NAMESPACE_DNS, "example.org").hex, "aad036818b63530489e08ca8f49461b5")


@check
def digests():
    data = b"The quick brown fox jumps over the lazy dog"
    equal(hashlib.md5(data).hexdigest(), "9e107d9d372bb6826bd81d3542a419d6")
    equal(hashlib.sha256(data).hexdigest(), "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592")
    equal(hashlib.sha3_224(b"").hexdigest(), "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7")
    equal(hmac.new(b"key", data, "sha256").hexdigest(), "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
    equal(len(hashlib.blake2b(data, digest_size=20).digest()), 20)
    equal(hashlib.pbkdf2_hmac("sha1", b"password", b"salt", 2, 20).hex(), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957")
    big = hashlib.sha256()
    for _ in range(64):
        big.update(bytes(65536))
    equal(big.hexdigest(), hashlib.sha256(bytes(4 << 20)).hexdigest())
    equal(len({secrets.token_hex(16) for _ in range(100)}), 100)


@check
def compression():
    data = b"".join(b"line %d of many\n" % i for i in range(5000))
    for name, module in [("zlib", zlib), ("gzip", gzip), ("bz2", bz2), ("lzma", lzma)]:
        packed = module.compress(data)
        equal((name, len(packed) * 4 < len(data)), (name, True))
        equal(module.decompress(packed) == data, True)
    raises(zlib.error, zlib.decompress, b"nonsense")
    stream = zlib.decompressobj()
    packed = zlib.compress(data, 9)
    pieces = [stream.decompress(packed[i : i + 100]) for i in range(0, len(packed), 100)]
    equal(b"".join(pieces) + stream.flush() == data, True)


@check
def archives():
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "tree")
        (tree / "sub").mkdir(parents=True)
        (tree / "one").write_text("1\n")
        (tree / "sub" / "two").write_text("22\n")
        (tree / "link").symlink_to("one")
        for end, mode in [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")]:
            path = pathlib.Path(folder, f"archive.{end}")
            with tarfile.open(path, mode) as archive:
                archive.add(tree, "tree")
            out = pathlib.Path(folder, "out-" + end)
            with tarfile.open(path) as archive:
                archive.extractall(out)
            equal((out / "tree/sub/two").read_text(), "22\n")
            equal(os.readlink(out / "tree/link"), "one")
        path = pathlib.Path(folder, "archive.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(tree / "one", "one")
            archive.writestr("three", "3" * 1000)
        with zipfile.ZipFile(path) as archive:
            equal(archive.testzip(), None)
            equal(archive.namelist(), ["one", "three"])
            equal(archive.read("three"), b"3" * 1000)


@check
def databases():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data.sqlite")
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("create table word (id integer primary key, text unique, length)")
            rows = [(word, len(word)) for word in "the quick brown fox jumps over a lazy dog".split()]
            database.executemany("insert into word (text, length) values (?, ?)", rows)
            database.commit()
            raises(sqlite3.IntegrityError, database.execute, "insert into word (text) values ('fox')")
            database.rollback()
        with contextlib.closing(sqlite3.connect(path)) as database:
            found = database.execute("select length, count(*), min(text) from word group by length order by length")
            equal(found.fetchall(), [(1, 1, "a"), (3, 3, "dog"), (4, 2, "lazy"), (5, 3, "brown")])
            equal(database.execute("pragma integrity_check").fetchone(), ("ok",))


@check
def dates():
    moment = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc)
    equal(moment.isoformat(), "2024-02-29T12:30:00+00:00")
    equal((moment + datetime.timedelta(days=366)).date(), datetime.date(2025, 3, 1))
    equal(datetime.datetime.strptime("3 Mar 2021", "%d %b %Y").weekday(), 2)
    equal(calendar.monthrange(2100, 2)[1], 28)
    equal(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1e9)), "2001-09-09 01:46:40")
    equal(moment.timestamp(), 1709209800.0)
    here = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    equal(moment.astimezone(here).strftime("%H:%M %z"), "18:00 +0530")


@check
def randomness():
    generator = random.Random(42)
    equal([generator.randrange(100) for _ in range(5)], [81, 14, 3, 94, 35])
    equal(round(generator.gauss(0, 1), 6), 0.017593)
    deck = list(range(10))
    random.Random(1).shuffle(deck)
    equal(sorted(deck), list(range(10)))
    equal(len(os.urandom(33)), 33)


@check
def programs_about_programs():
    tree = ast.parse("x = 1 + 2 * y")
    equal(ast.unparse(tree), "x = 1 + 2 * y")
    scope = {"y": 4}
    exec(compile(tree, "made up", "exec"), scope)
    equal(scope["x"], 9)
    module = types.ModuleType("made_up")
    exec("def f(): return __name__", module.__dict__)
    equal(module.f(), "made_up")
    error = raises(SyntaxError, compile, "a b", "x", "exec")
    equal((error.lineno, error.offset), (1, 3))
    lines = difflib.unified_diff(["a", "b"], ["a", "c"], lineterm="", n=0)
    equal(list(lines)[2:], ["@@ -2 +2 @@", "-b", "+c"])


@check
def foreign_functions():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.strlen.argtypes, libc.strlen.restype = [ctypes.c_char_p], ctypes.c_size_t
    equal(libc.strlen(b"hello"), 5)
    equal(libc.close(999), -1)
    equal(errno.errorcode[ctypes.get_errno()], "EBADF")
    compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 6)(5, 3, 9, 1, 7, 2)
    libc.qsort(numbers, 6, 4, compare_type(lambda a, b: a[0] - b[0]))
    equal(list(numbers), [1, 2, 3, 5, 7, 9])

    class Pair(ctypes.Structure):
        _fields_ = [("a", ctypes.c_short), ("b", ctypes.c_double)]

    equal((ctypes.sizeof(Pair), Pair.b.offset), (16, 8))


@check
def messages():
    out = io.StringIO()
    logger = logging.getLogger("everyday")
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.debug("not this")
    logger.warning("that %d", 5)
    try:
        raise OSError(errno.ENOENT, "gone")
    except OSError:
        logger.exception("caught")
    lines = out.getvalue().splitlines()
    equal((lines[0], lines[1], lines[-1]), ("WARNING everyday: that 5", "ERROR everyday: caught", "FileNotFoundError: [Errno 2] gone"))


# Files


@check
def paths():
    path = pathlib.PurePosixPath("/usr/lib/../share/x.tar.gz")
    equal((path.name, path.stem, path.suffixes), ("x.tar.gz", "x.tar", [".tar", ".gz"]))
    equal(os.path.normpath(path), "/usr/share/x.tar.gz")
    equal(os.path.relpath("/a/b/c", "/a/d"), "../b/c")
    equal(os.path.commonpath(["/a/b/c", "/a/b/d"]), "/a/b")
    equal(os.path.splitext(".profile"), (".profile", ""))
    equal(os.path.expanduser("~root"), "/root")
    equal(shlex.split("a 'b c' \"d e\" f\\ g"), ["a", "b c", "d e", "f g"])


@check
def files():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file")
        with open(path, "wb+") as file:
            file.write(b"0123456789" * 1000)
            file.seek(-3, os.SEEK_END)
            equal(file.read(), b"789")
            file.truncate(5000)
            equal(os.fstat(file.fileno()).st_size, 5000)
            equal(os.pread(file.fileno(), 4, 4996), b"6789")
            equal(os.pwrite(file.fileno(), b"end", 5000), 3)
        equal(path.stat().st_size, 5003)
        with open(path, "a") as file:
            file.write("ü\n")
        with open(path, encoding="utf-8") as file:
            equal(file.read()[-5:], "endü\n")
        raises(FileExistsError, open, path, "x")
        raises(FileNotFoundError, open, pathlib.Path(folder, "no"))
        raises(IsADirectoryError, open, folder)
        raises(NotADirectoryError, os.listdir, path)
        path.chmod(0o640)
        equal(stat.filemode(path.stat().st_mode), "-rw-r-----")
        os.utime(path, (1e9, 2e9))
        equal((path.stat().st_atime, path.stat().st_mtime), (1e9, 2e9))
        with open(path, "rb") as file, io.BufferedReader(file.raw, 16) as small:
            equal(small.peek(1)[:1], b"0")


@check
def folders():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for i in range(20):
            (folder / f"d{i % 4}").mkdir(exist_ok=True)
            (folder / f"d{i % 4}" / f"f{i}.txt").write_text(str(i))
        equal(len(list(folder.rglob("*.txt"))), 20)
        equal(sorted(os.listdir(folder)), ["d0", "d1", "d2", "d3"])
        equal(sorted(os.path.basename(path) for path in glob.glob(f"{folder}/d1/f1*")), ["f1.txt", "f13.txt", "f17.txt"])
        os.rename(folder / "d0", folder / "moved")
        equal((folder / "moved" / "f4.txt").read_text(), "4")
        os.link(folder / "d1/f1.txt", folder / "hard")
        equal((folder / "hard").stat().st_nlink, 2)
        (folder / "soft").symlink_to("hard")
        equal((folder / "soft").resolve(), folder.resolve() / "hard")
        equal((folder / "soft").lstat().st_size, 4)
        shutil.copytree(folder / "d2", folder / "copy")
        equal(len(os.listdir(folder / "copy")), 5)
        equal(raises(OSError, os.rmdir, folder / "copy").errno, errno.ENOTEMPTY)
        shutil.rmtree(folder / "copy")
        equal((folder / "copy").exists(), False)
        walked = [(len(folders), len(files)) for _, folders, files in os.walk(folder)]
        equal(sorted(walked), [(0, 5)] * 4 + [(4, 2)])
        with os.scandir(folder) as entries:
            equal(sorted(entry.name for entry in entries if entry.is_dir()), ["d1", "d2", "d3", "moved"])
        here = os.getcwd()
        os.chdir(folder)
        try:
            equal(os.path.samefile(".", folder), True)
            os.replace("soft", "d1/soft")
            equal(os.path.lexists("soft"), False)
        finally:
            os.chdir(here)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.mkdir("relative", dir_fd=descriptor)
        equal(os.stat("relative", dir_fd=descriptor).st_nlink, 2)
        os.close(descriptor)


@check
def descriptors():
    reader, writer = os.pipe()
    equal(os.get_inheritable(reader), False)
    equal(fcntl.fcntl(reader, fcntl.F_GETFD), fcntl.FD_CLOEXEC)
    other = os.dup(writer)
    os.close(writer)
    equal(os.writev(other, [b"one ", b"two"]), 7)
    buffers = [bytearray(3), bytearray(10)]
    equal(os.readv(reader, buffers), 7)
    equal(bytes(buffers[1][:4]), b" two")
    os.set_blocking(reader, False)
    raises(BlockingIOError, os.read, reader, 1)
    os.close(other)
    equal(os.read(reader, 1), b"")
    os.close(reader)
    equal(raises(OSError, os.read, reader, 1).errno, errno.EBADF)
    reader, writer = os.pipe()
    os.close(reader)
    raises(BrokenPipeError, os.write, writer, b"x")
    os.close(writer)


@check
def locks_on_files():
    with tempfile.NamedTemporaryFile() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with open(file.name) as other:
            raises(BlockingIOError, fcntl.flock, other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
        fcntl.lockf(file, fcntl.LOCK_EX, 10)
        child = os.fork()
        if child == 0:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 5)
            except OSError as error:
                os._exit(error.errno)
            os._exit(0)
        equal(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), errno.EAGAIN)


@check
def mapped_memory():
    with tempfile.TemporaryFile() as file:
        file.write(b"a" * 10000)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as private:
            private[5] = ord("X")
            equal(private.find(b"X"), 5)
        equal(os.pread(file.fileno(), 1, 5), b"a")
    with mmap.mmap(-1, 1 << 16) as shared:
        child = os.fork()
        if child == 0:
            shared[100:105] = b"child"
            os._exit(0)
        os.waitpid(child, 0)
        equal(shared[100:105], b"child")
        equal(len(shared), 1 << 16)
        raises(IndexError, lambda: shared[1 << 16])


# Processes


@check
def processes():
    child = os.fork()
    if child == 0:
        os._exit(7)
    pid, status = os.waitpid(child, 0)
    equal((pid == child, os.WIFEXITED(status), os.WEXITSTATUS(status)), (True, True, 7))
    raises(ChildProcessError, os.waitpid, child, 0)
    child = os.fork()
    if child == 0:
        signal.pause()
    os.kill(child, signal.SIGSTOP)
    equal(os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]), True)
    os.kill(child, signal.SIGCONT)
    equal(os.WIFCONTINUED(os.waitpid(child, os.WCONTINUED)[1]), True)
    os.kill(child, signal.SIGTERM)
    equal(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), -signal.SIGTERM)
    raises(ProcessLookupError, os.kill, child, 0)
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 5"], os.environ)
    found = os.waitid(os.P_PID, child, os.WEXITED)
    equal((found.si_status, found.si_code), (5, os.CLD_EXITED))
    handle = os.pidfd_open(os.getpid())
    signal.pidfd_send_signal(handle, 0)
    os.close(handle)


@check
def programs():
    run = subprocess.run
    done = run(["sh", "-c", "cat; echo err >&2; exit 3"], input=b"in", capture_output=True)
    equal((done.returncode, done.stdout, done.stderr), (3, b"in", b"err\n"))
    error = raises(subprocess.CalledProcessError, lambda: run(["false"], check=True))
    equal(error.returncode, 1)
    raises(subprocess.TimeoutExpired, lambda: run(["sleep", "10"], timeout=0.1))
    raises(FileNotFoundError, lambda: run(["/no/such/program"]))
    raises(PermissionError, lambda: run(["/etc/passwd"]))
    equal(subprocess.check_output("echo $A; pwd", shell=True, cwd="/", env={"A": "b", "PATH": "/bin"}), b"b\n/\n")
    first = subprocess.Popen(["printf", r"c\na\nb\n"], stdout=subprocess.PIPE)
    second = subprocess.Popen(["sort"], stdin=first.stdout, stdout=subprocess.PIPE, text=True)
    first.stdout.close()
    equal((second.communicate()[0], first.wait()), ("a\nb\nc\n", 0))
    big = os.urandom(300_000)
    equal(run(["cat"], input=big, capture_output=True).stdout == big, True)
    killed = subprocess.Popen(["sleep", "10"], start_new_session=True)
    os.killpg(killed.pid, signal.SIGKILL)
    equal(killed.wait(), -9)
    again = run([sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(4)", "a b"], capture_output=True)
    equal((again.stdout, again.returncode), (b"['a b']\n", 4))


@check
def signals():
    got = []
    old = signal.signal(signal.SIGUSR1, lambda number, frame: got.append(signal.Signals(number).name))
    os.kill(os.getpid(), signal.SIGUSR1)
    equal(got, ["SIGUSR1"])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.raise_signal(signal.SIGUSR1)
    equal(signal.sigpending(), {signal.SIGUSR1})
    equal(signal.sigwait([signal.SIGUSR1]), signal.SIGUSR1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    equal(got, ["SIGUSR1"])
    signal.signal(signal.SIGUSR1, old)

    def late(number, frame):
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    raises(TimeoutError, time.sleep, 10)
    signal.signal(signal.SIGALRM, lambda *_: got.append("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    start = time.monotonic()
    time.sleep(0.15)
    signal.setitimer(signal.ITIMER_REAL, 0)
    equal(time.monotonic() - start >= 0.15, True)
    equal(got.count("alarm") >= 2, True)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.raise_signal(signal.SIGALRM)
    equal(os.read(reader, 10), bytes([signal.SIGALRM]))
    signal.set_wakeup_fd(-1)
    # Whoever starts this may ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    raises(KeyboardInterrupt, signal.raise_signal, signal.SIGINT)


@check
def limits():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, hard))
    opened = []
    with contextlib.suppress(OSError):
        while True:
            opened.append(open("/dev/null"))
    equal(raises(OSError, open, "/dev/null").errno, errno.EMFILE)
    for file in opened:
        file.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    used = resource.getrusage(resource.RUSAGE_SELF)
    equal((used.ru_utime >= 0, used.ru_maxrss > 0), (True, True))
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); bytearray(1 << 29)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    equal((done.returncode, done.stderr.splitlines()[-1]), (1, "MemoryError"))


@check
def environment():
    os.environ["EVERYDAY"] = "ü"
    equal(subprocess.check_output(["sh", "-c", "printf %s $EVERYDAY"]).decode(), "ü")
    del os.environ["EVERYDAY"]
    equal(os.getenv("EVERYDAY"), None)
    equal((os.getuid(), os.geteuid(), os.getgid()), (0, 0, 0))
    equal(platform.system(), "Linux")
    equal((platform.machine(), sys.byteorder), ("x86_64", "little"))
    equal(os.uname().sysname, "Linux")
    old = os.umask(0o027)
    with tempfile.TemporaryDirectory() as folder:
        os.close(os.open(os.path.join(folder, "file"), os.O_CREAT | os.O_WRONLY, 0o666))
        equal(os.stat(os.path.join(folder, "file")).st_mode & 0o777, 0o640)
    os.umask(old)
    equal(os.path.exists(f"/proc/{os.getpid()}/status"), True)
    with open("/proc/self/comm") as file:
        equal(file.read().startswith("python3"), True)


# Threads


@check
def threads():
    total, lock = [0], threading.Lock()

    def work():
        for _ in range(200):
            with lock:
                total[0] += 1

    workers = [threading.Thread(target=work) for _ in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    equal(total[0], 3200)
    local = threading.local()
    local.value = 1
    seen = []
    other = threading.Thread(target=lambda: seen.append(hasattr(local, "value")))
    other.start()
    other.join()
    equal(seen, [False])
    barrier = threading.Barrier(4)
    waits = [threading.Thread(target=lambda: seen.append(barrier.wait(10) in range(4))) for _ in range(4)]
    for it in waits:
        it.start()
    for it in waits:
        it.join()
    equal(seen[1:], [True] * 4)
    event = threading.Event()
    equal(event.wait(0.01), False)
    timer = threading.Timer(0.02, event.set)
    timer.start()
    equal(event.wait(10), True)
    timer.join()


@check
def conditions():
    items, ready = collections.deque(), threading.Condition()
    got = []

    def consumer():
        while True:
            with ready:
                ready.wait_for(lambda: items)
                item = items.popleft()
            if item is None:
                return
            got.append(item)

    workers = [threading.Thread(target=consumer) for _ in range(3)]
    for worker in workers:
        worker.start()
    for i in range(300):
        with ready:
            items.append(i)
            ready.notify()
    with ready:
        items.extend([None] * 3)
        ready.notify_all()
    for worker in workers:
        worker.join()
    equal(sorted(got), list(range(300)))
    places = threading.BoundedSemaphore(2)
    with places, places:
        equal(places.acquire(blocking=False), False)
    raises(ValueError, places.release)


@check
def queues():
    jobs, results = queue.Queue(maxsize=5), queue.PriorityQueue()

    def worker():
        while (job := jobs.get()) is not None:
            results.put((-job, job * job))
            jobs.task_done()

    workers = [threading.Thread(target=worker, daemon=True) for _ in range(4)]
    for it in workers:
        it.start()
    for i in range(50):
        jobs.put(i)
    jobs.join()
    equal([results.get()[1] for _ in range(3)], [2401, 2304, 2209])
    for _ in workers:
        jobs.put(None)
    for it in workers:
        it.join()
    raises(queue.Empty, queue.Queue().get_nowait)


@check
def pools():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        equal(list(pool.map(lambda x: x**2, range(20))), [x**2 for x in range(20)])
        future = pool.submit(operator.truediv, 1, 0)
        equal(type(future.exception()), ZeroDivisionError)
        futures = [pool.submit(time.sleep, i / 100) for i in range(5)]
        done, pending = concurrent.futures.wait(futures)
        equal((len(done), len(pending)), (5, 0))


def squared(x):
    return x * x


def failing(x):
    raise ValueError(x)


@check
def process_pools():
    with concurrent.futures.ProcessPoolExecutor(3) as pool:
        equal(list(pool.map(squared, range(30))), [x * x for x in range(30)])
        equal(str(pool.submit(failing, 5).exception()), "5")
        broken = pool.submit(os._exit, 1)
        equal(type(broken.exception()).__name__, "BrokenProcessPool")


def add_up(shared, lock, times):
    for _ in range(times):
        with lock:
            shared.value += 1


def serve(connection):
    while (message := connection.recv()) is not None:
        connection.send([message, os.getppid() > 0])
    connection.close()


@check
def multiple_processes():
    shared, lock = multiprocessing.Value("i", 0), multiprocessing.Lock()
    workers = [multiprocessing.Process(target=add_up, args=(shared, lock, 50)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    equal((shared.value, [worker.exitcode for worker in workers]), (200, [0] * 4))
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,))
    server.start()
    here.send({"a": 1})
    equal(here.recv(), [{"a": 1}, True])
    here.send(None)
    server.join()
    messages = multiprocessing.Queue()
    sender = multiprocessing.Process(target=messages.put, args=(b"x" * 200_000,))
    sender.start()
    equal(len(messages.get()), 200_000)
    sender.join()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        equal(pool.map(squared, [1, 2, 3]), [1, 4, 9])
    long = multiprocessing.Process(target=time.sleep, args=(60,))
    long.start()
    long.terminate()
    long.join()
    equal(long.exitcode, -signal.SIGTERM)


# Waiting for several things


@check
def sockets():
    here, there = socket.socketpair()
    here.sendall(b"hello")
    equal(there.recv(3), b"hel")
    equal(there.recv(10, socket.MSG_PEEK), b"lo")
    equal(there.recv(10), b"lo")
    here.settimeout(0.05)
    raises(TimeoutError, here.recv, 1)
    there.shutdown(socket.SHUT_WR)
    equal(here.recv(1), b"")
    here.close()
    there.close()
    here, there = socket.socketpair()
    reader, writer = os.pipe()
    socket.send_fds(here, [b"two ends"], [reader, writer])
    os.close(reader)
    os.close(writer)
    said, (reader, writer), flags, _ = socket.recv_fds(there, 100, 5)
    equal((said, flags), (b"two ends", 0))
    os.write(writer, b"through")
    os.close(writer)
    equal(os.read(reader, 100), b"through")
    os.close(reader)
    here.close()
    there.close()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(path)
            server.listen(3)
            client.connect(path)
            accepted, _ = server.accept()
            with accepted, accepted.makefile("rw") as stream:
                client.sendall(b"line one\nline two\n")
                equal(stream.readline(), "line one\n")
                stream.write("answer\n")
                stream.flush()
            equal(client.recv(100), b"answer\n")
            equal(client.recv(100), b"")
        equal(stat.S_ISSOCK(os.stat(path).st_mode), True)
        with socket.socket(socket.AF_UNIX) as late:
            raises(ConnectionRefusedError, late.connect, path)


@check
def readiness():
    reader, writer = os.pipe()
    equal(select.select([reader], [writer], [], 0), ([], [writer], []))
    os.write(writer, b"x")
    equal(select.select([reader], [], [], 5), ([reader], [], []))
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    equal(poll.poll(0), [(reader, select.POLLIN)])
    with select.epoll() as epoll:
        epoll.register(reader, select.EPOLLIN | select.EPOLLET)
        equal(epoll.poll(1), [(reader, select.EPOLLIN)])
        equal(epoll.poll(0), [])
        os.write(writer, b"y")
        equal(epoll.poll(1), [(reader, select.EPOLLIN)])
        os.close(writer)
        equal(epoll.poll(1)[0][1] & select.EPOLLHUP, select.EPOLLHUP)
    equal(poll.poll(0)[0][1], select.POLLIN | select.POLLHUP)
    os.close(reader)
    with selectors.DefaultSelector() as selector:
        here, there = socket.socketpair()
        selector.register(here, selectors.EVENT_READ, "data")
        equal(selector.select(0.01), [])
        there.send(b"z")
        equal([key.data for key, _ in selector.select(5)], ["data"])
        here.close()
        there.close()


@check
def coroutines():
    async def work(name, delay, log):
        await asyncio.sleep(delay)
        log.append(name)
        return name * 2

    async def main():
        log = []
        results = await asyncio.gather(work("c", 0.06, log), work("a", 0.0, log), work("b", 0.03, log))
        equal((results, log), (["cc", "aa", "bb"], ["a", "b", "c"]))
        try:
            async with asyncio.timeout(0.02):
                await asyncio.sleep(10)
        except TimeoutError:
            log.append("timeout")
        task = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            log.append("cancelled")
        equal(log[3:], ["timeout", "cancelled"])
        channel = asyncio.Queue(2)

        async def produce():
            for i in range(10):
                await channel.put(i)
            await channel.put(None)

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            got = []
            while (item := await channel.get()) is not None:
                got.append(item)
        equal(got, list(range(10)))
        equal(await asyncio.to_thread(sum, range(100)), 4950)

    asyncio.run(main())


@check
def asynchronous_programs():
    async def main():
        program = await asyncio.create_subprocess_exec(
            "sh", "-c", "read line; echo got $line; exit 6", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        out, _ = await program.communicate(b"hello\n")
        equal((out, program.returncode), (b"got hello\n", 6))
        many = [await asyncio.create_subprocess_exec("sh", "-c", f"exit {i}") for i in range(5)]
        equal([await program.wait() for program in many], list(range(5)))
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR2, came.set)
        os.kill(os.getpid(), signal.SIGUSR2)
        await asyncio.wait_for(came.wait(), 5)
        loop.remove_signal_handler(signal.SIGUSR2)

    asyncio.run(main())


@check
def asynchronous_streams():
    async def serve(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    async def talk(path, word):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(word.encode() + b"\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer.decode().strip()

    async def main():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            server = await asyncio.start_unix_server(serve, path)
            async with server:
                answers = await asyncio.gather(*(talk(path, f"word {i}") for i in range(10)))
            equal(answers, [f"WORD {i}" for i in range(10)])

    asyncio.run(main())


@check
def terminals():
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("sh", ["sh", "-c", "stty -echo 2>/dev/null; read word; echo =$word=; test -t 0; exit $?"])
    os.write(terminal, b"hello\n")
    said = b""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 1000):
            said += piece
    equal((said.endswith(b"=hello=\r\n"), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])), (True, 0))
    os.close(terminal)
    first, second = pty.openpty()
    attributes = termios.tcgetattr(second)
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(second, termios.TCSANOW, attributes)
    os.write(first, b"x")
    equal(os.read(second, 10), b"x")
    equal(os.isatty(second), True)
    fcntl.ioctl(second, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    equal(tuple(os.get_terminal_size(first)), (100, 30))
    os.close(first)
    os.close(second)


@check
def clocks():
    equal(time.monotonic() <= time.monotonic(), True)
    start = time.perf_counter_ns()
    time.sleep(0.02)
    equal(time.perf_counter_ns() - start >= 20_000_000, True)
    before = time.process_time()
    while time.process_time() - before < 0.02:
        pass
    order = []
    scheduler = sched.scheduler(time.monotonic, time.sleep)
    for delay in [0.03, 0.01, 0.02]:
        scheduler.enter(delay, 1, order.append, [delay])
    scheduler.run()
    equal(order, [0.01, 0.02, 0.03])


def main():
    failed = 0
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            function()
        except BaseException:
            failed += 1
            print(f"{name}: FAILED")
            traceback.print_exc(file=sys.stdout)
        else:
            print(f"{name}: ok", flush=True)
    print(f"{len(CHECKS)} checks, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
