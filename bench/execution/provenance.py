"""Provenance of a run: a digest of the method's file, of the local files it imports, and of package versions.

Files are parsed and never imported. Comments, docstrings and layout do not count, because they change no forecast. The
harness does not count either: a record's version names the one that wrote it.
"""

from __future__ import annotations

import ast
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import implementations
from bench.machine.environment import ROOT
from bench.schema.record import Spec
from implementations.backends import BACKENDS
from implementations.registry import Method
from implementations.user_methods import is_reference, packaged

OURS = ROOT / "implementations"
#: packages of layers: of them, the files count that define what is imported
LAYERS = {f"implementations.layers.{family}": OURS / f"layers/{family}/__init__.py" for family in ("keras", "torch")}
#: imported by everything and grown with every method or layer: they decide no forecast that a spec does not state
MODULES = ("__init__.py", "registry.py", "user_methods.py", "methods/__init__.py")
TABLES = {*(OURS / module for module in MODULES), *LAYERS.values()}


Stamps = tuple[tuple[Path, int, int], ...]  # files, when each was changed, and its size
ONE_AT_A_TIME = threading.Lock()  # Python 3.11 may raise SystemError where two threads parse at once
KNOWN: dict[tuple[str, str, str | None], tuple[Stamps, str]] = {}
FRAMEWORKS = {package for backend in BACKENDS.values() for package in backend.needs}


def code_of(spec: Spec, files: Mapping[str, str]) -> str:
    """Return the sha256 over the code that a spec's run is made by, and the versions of the packages it imports.

    Files are read again only when one of them was changed.
    """
    question = spec.method, spec.backend, files.get(spec.method)
    with ONE_AT_A_TIME:
        if question in KNOWN:
            stamps, digest = KNOWN[question]
            if all(stamp(path) == (path, *rest) for path, *rest in stamps):
                return digest
        sources = sorted(closure(spec, files))
        digest = digest_of(sources, spec)
        KNOWN[question] = tuple(map(stamp, sources)), digest
    return digest


def codes_of(files: Mapping[str, str]) -> Callable[[Spec], str]:
    """Return `code_of` for one moment: whether files were changed is looked up once for each method and backend."""
    known: dict[tuple[str, str], str] = {}

    def code(spec: Spec) -> str:
        question = spec.method, spec.backend
        if question not in known:
            known[question] = code_of(spec, files)
        return known[question]

    return code


def stamp(path: Path) -> tuple[Path, int, int]:
    """When a file was last changed, and its size; zeros once it is gone."""
    try:
        status = path.stat()
    except OSError:
        return path, 0, 0
    return path, status.st_mtime_ns, status.st_size


def digest_of(sources: Sequence[Path], spec: Spec) -> str:
    """Return the sha256 over these files and the versions of the packages that they import.

    Shared files import every framework: those that the spec's backend does not run on are left out, for they decide
    nothing, and one machine has them and another has not.
    """
    sha256 = hashlib.sha256()
    for path in sources:
        sha256.update(f"{label(path)}\0{content_of(path)[0]}\0".encode())
    own = {*BACKENDS[spec.backend].needs, "numpy"}
    imported = {name for path in sources for name in content_of(path)[1]}
    for name in sorted(own | imported - FRAMEWORKS):
        if found := installed(name):
            sha256.update(f"{name} {found}\0".encode())
    return sha256.hexdigest()


def closure(spec: Spec, files: Mapping[str, str]) -> set[Path]:
    """Return the source files that a spec's method is made of."""
    start, beside = source_of(spec, files)
    family = "keras" if spec.backend.startswith("keras") else spec.backend
    engine = OURS / "backends" / family
    left = [*start, OURS / "forecaster.py", *engine.glob("*.py"), engine.with_suffix(".py")]
    left += [OURS / "wrapping.py"] * bool(spec.source)
    found: set[Path] = set()
    seen = set(TABLES)
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        if not path.is_file() or of_another(path, family):
            continue
        found.add(path)
        # an engine imports all layers, so that saved networks can name them: those of the method count
        names = set(imports(path)) - (LAYERS.keys() if path.parent == engine else set())
        left += [place for name in names for place in places_of(name, beside)]
    return found


def of_another(path: Path, family: str) -> bool:
    """Return whether a file is of the engines or layers of another framework."""
    if not path.is_relative_to(OURS):
        return False
    parts = path.relative_to(OURS).parts
    return len(parts) > 2 and parts[0] in ("backends", "layers") and parts[1] != family


def source_of(spec: Spec, files: Mapping[str, str]) -> tuple[list[Path], Path | None]:
    """Return a method's source files, and the folder of a user method, from which it may import."""
    if not spec.source:
        entry = implementations.METHODS.get(spec.method)
        place = entry.place.partition(":")[0] if isinstance(entry, Method) else ""
        return ([OURS / "methods" / f"{place}.py"] if place else []), None
    if is_reference(spec.source.reference) and spec.method in files:
        path = Path(files[spec.method]).absolute()
        return [path], path.parent
    module = packaged()[spec.method].module.split(".") if spec.method in packaged() else [""]
    found = PathFinder.find_spec(module[0]) if module[0] else None
    origin = Path(found.origin) if found and found.origin else None
    if origin is None:
        return [], None
    folder = origin.parent.parent if origin.name == "__init__.py" else origin.parent
    return [origin, *candidates(folder, tuple(module))], folder if origin.name == "__init__.py" else None


def places_of(name: str, beside: Path | None) -> Iterator[Path]:
    """Yield the files that may define a module or a name imported from it: in this project or next to the method."""
    parts = tuple(name.split("."))
    if parts[0] == "implementations":
        yield from candidates(ROOT, parts)
        yield from layers_of(name)
        if name == "implementations.NetworkForecaster":
            yield OURS / "network.py"
    elif beside is not None:
        yield from candidates(beside, parts)


def layers_of(name: str) -> Iterator[Path]:
    """Yield the files of the layers that a name means: of all where it is a package of layers, or its `*`."""
    package, _, layer = name.rpartition(".")
    table = LAYERS.get(name) or LAYERS.get(package)
    if table:
        whole = name in LAYERS or layer == "*"
        taken = (place for place in imports(table) if whole or place.endswith(f".{layer}"))
        yield from (path for place in taken for path in candidates(ROOT, tuple(place.split("."))))


@lru_cache(maxsize=4096)
def candidates(folder: Path, parts: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the files that `import a.b.c` reads, and the module that `from a.b import c` takes c from."""
    places = [folder.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]
    return tuple(path for place in places for path in (place / "__init__.py", place.with_name(f"{place.name}.py")))


def imports(path: Path) -> Iterator[str]:
    """Yield the modules, and names of modules, that a file imports anywhere; relative ones from where it lies."""
    yield from content_of(path)[2]


def content_of(path: Path) -> tuple[str, frozenset[str], tuple[str, ...]]:
    """Return a file's digest, the packages that it imports, and all the names; read again only when it was changed."""
    return parsed(*stamp(path))


@lru_cache(maxsize=4096)
def parsed(path: Path, _changed_ns: int, _size: int) -> tuple[str, frozenset[str], tuple[str, ...]]:
    """See `content_of`. What cannot be parsed counts by its bytes."""
    content = path.read_bytes()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return hashlib.sha256(content).hexdigest(), frozenset(), ()
    names = tuple(dict.fromkeys(name for node in ast.walk(tree) for name in imported(node, path)))
    packages = frozenset(name.partition(".")[0] for name in names)
    without_docstrings(tree)
    return hashlib.sha256(meaning(tree).encode()).hexdigest(), packages, names


def meaning(node: object) -> str:
    """Write a syntax tree as every version of Python does: without empty fields, which each has others of."""
    if isinstance(node, ast.AST):
        filled = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({', '.join(f'{name}={meaning(value)}' for name, value in filled)})"
    return f"[{', '.join(map(meaning, node))}]" if isinstance(node, list) else repr(node)


def imported(node: ast.AST, path: Path) -> Iterator[str]:
    """Yield what an import statement names: modules, and what is taken from them, which may be modules too."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level and path.is_relative_to(ROOT):
            package = path.relative_to(ROOT).parts[: -node.level]
            base = ".".join([*package, *filter(None, [base])])
        yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def without_docstrings(tree: ast.Module) -> None:
    """Take every docstring out of the tree."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]


def label(path: Path) -> str:
    """Return a file's name without the folder that this machine keeps it in."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


@cache
def installed(package: str) -> str:
    """Return the version of an installed package; empty for what is none."""
    try:
        return version(package)
    except (PackageNotFoundError, ValueError):
        return ""
