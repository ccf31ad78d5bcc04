"""The laws of the house that a machine can check, and for each a snippet that shows the check is awake.

The order of layers and the contract "Rules do no I/O" are import-linter's; imports inside functions,
complexity and banned libraries are ruff's. What stands here is what neither of them can say.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAKES_VERIFIED = "node/federation/protocol/verification.py"
SHELLS = re.compile(r"node/(app|cli\w*|demo|settings|log)\.py")
"""Files of the package root that talk to the world; every other file there is a rule."""
FACES = re.compile(r"node/(web/.*|app\.py|cli\w*\.py|commands/running\.py|demo\.py)")
"""The only files that may know the web framework."""
BANNED_STEMS = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
BANNED_SUFFIXES = ("Manager", "Service", "Processor", "Handler")
MUTABLE_CALLS = frozenset(
    {"list", "dict", "set", "bytearray", "array", "defaultdict", "deque", "Counter", "OrderedDict"}
    | {"ChainMap", "count", "cycle", "local", "ContextVar", "Lock", "RLock", "Event", "Queue", "Semaphore"}
    | {"WeakKeyDictionary", "WeakValueDictionary", "WeakSet", "SimpleNamespace", "Random", "cache"}
)
MUTABLE_NODES = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
WORLD_CALLS = re.compile(
    r"(?:datetime\.)*(?:datetime\.(?:now|utcnow|today)|date\.today)|open|print|input"
    r"|(?:os|time|logging|subprocess|socket)\..+|(?:.+\.)?Path\.(?:cwd|home)"
    r"|.+\.(?:read_text|read_bytes|write_text|write_bytes|open|connect)"
)
WORLD_MODULES = frozenset(
    {"os", "time", "socket", "logging", "subprocess", "asyncio", "threading", "sqlite3", "random", "tempfile"}
)
REGISTRIES = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|\b(?:pypi|npmjs|artifactory|nexus)\b"
    r"|\b(?:docker\.io|ghcr\.io|quay\.io|gcr\.io|pkg\.dev)\b",
    re.I,
)


@dataclass(frozen=True)
class Module:
    """One source file, as the rules see it."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def is_rule(self) -> bool:
        """Whether law 1 holds here: no I/O, no clock, no log."""
        if self.path.startswith("node/federation/protocol/"):
            return True
        return self.path.count("/") == 1 and SHELLS.fullmatch(self.path) is None


def size(module: Module) -> Iterator[str]:
    """At most 600 lines; migrations excepted."""
    lines = module.text.count("\n")
    if lines > 600 and "/migrations/" not in module.path:
        yield f"{lines} lines, 600 allowed: find the seam"


def names(module: Module) -> Iterator[str]:
    """No drawer for odds and ends, no class that is named after doing something."""
    parts = Path(module.path)
    for part in (*parts.parent.parts, parts.stem):
        if part in BANNED_STEMS:
            yield f"nothing is called {part!r}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith(BANNED_SUFFIXES):
            yield f"line {node.lineno}: class {node.name}"


def verified_has_one_maker(module: Module) -> Iterator[str]:
    """Law 4: trust is a type, and one file makes it. Another name for it would hide a second maker."""
    if module.path == MAKES_VERIFIED:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] == "Verified":
            yield f"line {node.lineno}: makes a Verified"
        if isinstance(node, ast.ClassDef) and any(_dotted(base).endswith("Verified") for base in node.bases):
            yield f"line {node.lineno}: a class below Verified"
        if isinstance(node, ast.alias) and node.name == "Verified" and node.asname not in (None, "Verified"):
            yield "Verified under another name"
        if isinstance(node, ast.Assign) and _dotted(node.value).rpartition(".")[2] == "Verified":
            yield f"line {node.lineno}: Verified under another name"


def framework_stays_in_the_web(module: Module) -> Iterator[str]:
    """Law 4: no deciding code ever sees a framework request."""
    if FACES.fullmatch(module.path):
        return
    for name, line in _imports(module):
        if name.partition(".")[0] in ("starlette", "uvicorn"):
            yield f"line {line}: imports {name}"


def docstrings(module: Module) -> Iterator[str]:
    """Every module says what it decides; a line that starts with Spec: names a section."""
    marks_a_package = module.path.endswith("/__init__.py") and not module.text.strip()
    if not marks_a_package and not (ast.get_docstring(module.tree) or "").strip():
        yield "no docstring"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for line in (ast.get_docstring(node) or "").splitlines():
                head, _, rest = line.strip().partition(":")
                if head == "Spec" and not re.search(r"\w", rest):
                    yield f"{getattr(node, 'name', 'module')}: an empty Spec line"


def state(module: Module) -> Iterator[str]:
    """A node is an object: nothing at module level may change. MappingProxyType holds a table."""
    for statement in _module_level(module.tree.body):
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and statement.value is not None:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if _dotted(target) != "__all__" and _is_mutable(statement.value):
                yield f"line {statement.lineno}: {ast.unparse(target)} can change"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global {', '.join(node.names)}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if _dotted(decorator).rpartition(".")[2] == "cache":
                    yield f"line {node.lineno}: {node.name} remembers without bound"


def rules_do_no_io(module: Module) -> Iterator[str]:
    """Law 1: a rule looks at its arguments, and `now` is one of them."""
    if not module.is_rule:
        return
    for name, line in _imports(module):
        if name.partition(".")[0] in WORLD_MODULES:
            yield f"line {line}: imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and WORLD_CALLS.fullmatch(_dotted(node.func)):
            yield f"line {node.lineno}: calls {_dotted(node.func)}"


def no_assert(module: Module) -> Iterator[str]:
    """`python -O` takes asserts away; a check raises an error of ours."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert):
            yield f"line {node.lineno}: assert is no check"


Rule = Callable[[Module], Iterator[str]]
RULES: tuple[Rule, ...] = (
    size,
    names,
    verified_has_one_maker,
    framework_stays_in_the_web,
    docstrings,
    state,
    rules_do_no_io,
    no_assert,
)

BAD: tuple[tuple[Rule, str, str], ...] = (
    (size, "node/alerts.py", "\n" * 601),
    (names, "node/utils.py", ""),
    (names, "node/web/helpers/dates.py", ""),
    (names, "node/alerts.py", "class AlertManager: ..."),
    (names, "node/alerts.py", "def make():\n    class InboxHandler: ..."),
    (verified_has_one_maker, "node/alerts.py", "x = Verified(1)"),
    (verified_has_one_maker, "node/alerts.py", "x = verification.Verified(1)"),
    (verified_has_one_maker, "node/alerts.py", "from a import Verified as V"),
    (verified_has_one_maker, "node/alerts.py", "V = verification.Verified"),
    (verified_has_one_maker, "node/alerts.py", "class Proven(Verified): ..."),
    (framework_stays_in_the_web, "node/alerts.py", "from starlette.requests import Request"),
    (framework_stays_in_the_web, "node/federation/commit.py", "import starlette"),
    (framework_stays_in_the_web, "node/models/base.py", "import uvicorn.config"),
    (docstrings, "node/alerts.py", "x = 1"),
    (docstrings, "node/alerts.py", '"""  """'),
    (docstrings, "node/web/__init__.py", "x = 1"),
    (docstrings, "node/alerts.py", '"""Rules."""\ndef f():\n    """Do.\n\n    Spec:\n    """'),
    (docstrings, "node/alerts.py", '"""Rules.\n\nSpec: -\n"""'),
    (state, "node/alerts.py", "KINDS = {}"),
    (state, "node/alerts.py", "KINDS: Final = {'a': 1}"),
    (state, "node/alerts.py", "seen = set()"),
    (state, "node/alerts.py", "seen = collections.defaultdict(list)"),
    (state, "node/alerts.py", "NAMES = [name for name in 'ab']"),
    (state, "node/alerts.py", "if True:\n    seen: list[str] = []"),
    (state, "node/alerts.py", "PAIR = ({}, 1)"),
    (state, "node/alerts.py", "current = threading.local()"),
    (state, "node/alerts.py", "EITHER = {} if x else None"),
    (state, "node/alerts.py", "def f():\n    global count\n    count = 1"),
    (state, "node/alerts.py", "@functools.cache\ndef f(x): ..."),
    (rules_do_no_io, "node/alerts.py", "x = datetime.now(UTC)"),
    (rules_do_no_io, "node/alerts.py", "x = datetime.datetime.utcnow()"),
    (rules_do_no_io, "node/members.py", "x = date.today()"),
    (rules_do_no_io, "node/recovery.py", "x = open('f')"),
    (rules_do_no_io, "node/recovery.py", "x = os.urandom(3)"),
    (rules_do_no_io, "node/recovery.py", "x = Path('f').read_text()"),
    (rules_do_no_io, "node/federation/protocol/ids.py", "x = time.time()"),
    (rules_do_no_io, "node/federation/protocol/ids.py", "from time import time"),
    (rules_do_no_io, "node/federation/protocol/ids.py", "import logging"),
    (no_assert, "node/alerts.py", "def f(x):\n    assert x"),
)

GOOD: tuple[tuple[Rule, str, str], ...] = (
    (size, "node/models/migrations/versions/0001.py", "\n" * 601),
    (names, "node/alerts.py", "class AlertRow: ..."),
    (verified_has_one_maker, MAKES_VERIFIED, "x = Verified(1)"),
    (verified_has_one_maker, "node/alerts.py", "def decide(message: Verified) -> None: ..."),
    (framework_stays_in_the_web, "node/web/activitypub.py", "from starlette.requests import Request"),
    (docstrings, "node/alerts.py", '"""Rules.\n\nSpec: AP §7.1\n"""'),
    (docstrings, "node/web/__init__.py", ""),
    (state, "node/alerts.py", "KINDS = MappingProxyType({'a': 1})\nNAMES = frozenset({'a'})\nPAIR = ('a',)"),
    (state, "node/alerts.py", "JsonObject = dict[str, Any]\nPATTERN = re.compile('a')\n__all__ = ['a']"),
    (state, "node/alerts.py", "def f():\n    seen = {}\n    return seen"),
    (rules_do_no_io, "node/alerts.py", "def decide(now: datetime):\n    return now + timedelta(hours=1)"),
    (rules_do_no_io, "node/web/pages/alerts.py", "x = datetime.now(UTC)"),
    (rules_do_no_io, "node/cli_admin.py", "x = open('f')"),
    (no_assert, "node/alerts.py", "def f(x):\n    if not x:\n        raise RefusedError('no')"),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_law(rule):
    faults = [f"{module.path}: {fault}" for module in _modules() for fault in rule(module)]
    assert not faults, f"{rule.__doc__}\n" + "\n".join(faults)


@pytest.mark.parametrize(("rule", "path", "snippet"), BAD)
def test_a_bad_snippet_is_caught(rule, path, snippet):
    assert list(rule(Module(path, snippet)))


@pytest.mark.parametrize(("rule", "path", "snippet"), GOOD)
def test_a_good_snippet_is_left_alone(rule, path, snippet):
    assert not list(rule(Module(path, snippet)))


def test_every_rule_has_been_seen_to_catch_something():
    assert {rule for rule, _, _ in BAD} == set(RULES) == {rule for rule, _, _ in GOOD}


def test_no_file_names_the_host_that_packages_come_from():
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in _supply_files()
        for line in _named_hosts(path.name, path.read_text("utf-8"))
    ]
    assert not found, "packages are pinned by hash, wherever they come from:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("main.txt", "--index-url https://packages.example/simple"),
        ("main.txt", "starlette @ https://files.example/starlette.whl"),
        ("main.in", "git+ssh://files.example/starlette"),
        ("package-lock.json", '      "resolved": "https://packages.example/x.tgz",'),
        (".npmrc", "registry=https://packages.example/"),
        ("Containerfile", "FROM docker.io/library/debian:12"),
        ("README.md", "pip install --extra-index-url http://packages.example/ tadamun"),
    ],
)
def test_a_line_that_names_such_a_host_is_caught(name, line):
    assert _named_hosts(name, line)


def _modules() -> list[Module]:
    found = sorted((ROOT / "node").rglob("*.py"))
    assert found, "no module found: is this the repository?"
    return [Module(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in found]


def _supply_files() -> list[Path]:
    lists = ("requirements/*", "package-lock.json", "tests/*/package-lock.json", ".npmrc")
    names = (*lists, "deploy/*", "Makefile", ".ci/*")
    found = sorted(path for name in names for path in ROOT.glob(name) if path.is_file())
    assert any(path.name == "main.txt" for path in found), "requirements/main.txt is missing"
    return found


def _named_hosts(name: str, text: str) -> list[str]:
    """Lines that name a package host. In a list of packages any address is one; a guide may name others."""
    address = re.compile("://")
    if name.endswith(".json"):
        address = re.compile(r'"resolved":.*://')
    elif not name.endswith((".txt", ".in", ".npmrc")):
        address = REGISTRIES
    return [line.strip()[:120] for line in text.splitlines() if address.search(line)]


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run on import, also those inside if, try, with and for."""
    for statement in body:
        yield statement
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _module_level(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from _module_level(handler.body)


def _is_mutable(value: ast.expr) -> bool:
    match value:
        case ast.Tuple(elts=parts) | ast.BoolOp(values=parts):
            return any(map(_is_mutable, parts))
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return _is_mutable(one) or _is_mutable(other)
        case ast.Starred(value=inner) | ast.NamedExpr(value=inner):
            return _is_mutable(inner)
        case ast.Call(func=function):
            return _dotted(function).rpartition(".")[2] in MUTABLE_CALLS
        case _:
            return isinstance(value, MUTABLE_NODES)


def _imports(module: Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


def _dotted(node: ast.expr) -> str:
    """`a.b.c` of a name; a call in the middle reads `a()`, anything else `?`."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            return f"{_dotted(inner)}.{name}"
        case ast.Call(func=inner):
            return f"{_dotted(inner)}()"
        case _:
            return "?"
