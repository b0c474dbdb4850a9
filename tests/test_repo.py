"""What holds for the repository as a whole."""

import ast
import html
import re
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from welfare_analysis.needs import commuting, housing, income_debt
from welfare_analysis.publishing.markup import markdown
from welfare_analysis.results import conditions

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "welfare_analysis"
LAYERS = ("errors", "languages", "estimation", "survey", "study")
LAYERS += ("needs", "demand", "planning", "disclosure", "results", "publishing", "__main__")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAX_LINES = 6
# written in two parts, so that this file does not name them itself
HOSTS = (
    "pypi" + ".org",
    "files.python" + "hosted.org",
    "conda.anaconda" + ".org",
    "artifact" + "ory",
    "index" + "-url =",
)


# the methods of the one class `Design` are written in modules of their own, whose types name it
ONE_CLASS = ("calibration", "design", "influence", "phases", "replicates")


def imported(path: Path) -> set[str]:
    """Return the dotted names that a module imports, at any depth."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(SOURCE.parent).parts[: -node.level] if node.level else ()
            module = ".".join([*package, *([node.module] if node.module else [])])
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def layer(dotted: str) -> str:
    """Return the part of the package that a module belongs to."""
    return dotted.removeprefix("welfare_analysis.").split(".")[0]


def requirement(text: str) -> str:
    """Return the normal name of a requirement."""
    return re.split(r"[\s<>=!~;\[]", text.strip(), maxsplit=1)[0].lower().replace("_", "-")


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_imports_go_one_way():
    """A module imports only from its own part of the package or an earlier one."""
    for path in SOURCE.rglob("*.py"):
        if path == SOURCE / "__init__.py":
            continue
        own = LAYERS.index(layer(".".join(path.relative_to(SOURCE).with_suffix("").parts)))
        for name in imported(path):
            if name.startswith("welfare_analysis.") and layer(name) in LAYERS:
                assert LAYERS.index(layer(name)) <= own, f"{path.relative_to(ROOT)} imports {name}"


def test_modules_import_in_no_circle():
    """Whatever a module reaches by its imports, for types or late ones too, does not reach it, but for one class."""
    named = {path: path.relative_to(SOURCE.parent).with_suffix("").parts for path in SOURCE.rglob("*.py")}
    modules = {".".join(p for p in parts if p != "__init__"): path for path, parts in named.items()}
    direct = {}
    for module, path in modules.items():
        names = imported(path) & set(modules) - {module}
        packages = {name for name in names if any(other.startswith(f"{name}.") for other in names)}
        direct[module] = names - packages  # `from . import a` needs a, and no more of the package
    reached = {module: set(names) for module, names in direct.items()}
    for middle in modules:
        for names in reached.values():
            if middle in names:
                names |= reached[middle]
    circles = {module for module, names in reached.items() if module in names}
    assert circles == {f"welfare_analysis.estimation.{name}" for name in ONE_CLASS}


def test_every_part_has_a_layer():
    """No module stands outside the order."""
    parts = {path.stem if path.is_file() else path.name for path in SOURCE.iterdir()} - {"__init__", "__pycache__"}
    assert parts <= set(LAYERS)


def calls(path: Path) -> list[ast.Call]:
    """Return the calls of a module."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def test_only_disclosure_makes_what_may_be_shown():
    """No module outside `disclosure` builds a `Released`, or puts numbers into one."""
    makers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for call in calls(path)
        if called(call) == "Released"
        or (
            called(call) == "replace"
            and path.relative_to(SOURCE).parts[0] in ("results", "publishing")
            and {k.arg for k in call.keywords} & {"frame", "n"}
        )
    }
    assert makers
    assert all(name.startswith("disclosure/") for name in makers), makers


def test_only_tables_and_the_site_build_html():
    """Whatever renders takes what disclosure gave: HTML is made by `show`, and by the report's pages."""
    built = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for call in calls(path)
        if called(call) == "HTML"
    }
    assert built == {"publishing/tables.py"}
    tags = re.compile(r"<(?:table|td|th|tr|p|h\d)[ >]")
    marked = {p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*.py") if tags.search(p.read_text())}
    makers = {"publishing/tables.py", "publishing/pages.py", "publishing/report.py", "publishing/markup.py"}
    assert marked <= makers | {"survey/paper.py"}, marked


def test_thresholds_of_disclosure_are_in_one_file():
    """Numbers of respondents are compared with rules of ``policy.csv``, and with no number of one's own."""
    policy = pd.read_csv(ROOT / "data" / "policy.csv").set_index("rule")["value"].astype(float)
    thresholds = {policy[name] for name in ("min_respondents", "min_base", "caution_base")}
    parts = [p for folder in ("disclosure", "results", "publishing") for p in (SOURCE / folder).rglob("*.py")]
    found = [
        f"{path.name}: {ast.unparse(node)}"
        for path in parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        for side in [node.left, *node.comparators]
        if isinstance(side, ast.Constant) and side.value in thresholds
    ]
    assert not found
    # planning is given its thresholds: it types none, by whatever name
    for path in (SOURCE / "planning").glob("*.py"):
        typed = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Assign | ast.AnnAssign)]
        assert not [ast.unparse(n) for n in typed if getattr(n.value, "value", None) in thresholds], path.name
    # nor does disclosure hold another number that decides: what is left are counts, the digits 1, 2, 5 and tolerances
    plain = {0, 1, 2, 3, 5, 10, 1.959964}
    for path in (SOURCE / "disclosure").glob("*.py"):
        numbers = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
        numbers = [x for x in numbers if isinstance(x, int | float) and not isinstance(x, bool) and x not in plain]
        assert all(0 < abs(x) <= 1e-6 or (path.name in ("attack.py", "digits.py") and x == 4) for x in numbers), (
            path.name,
            numbers,
        )
    reasons = pd.read_csv(ROOT / "data" / "policy.csv")["source"]
    assert reasons.notna().all()


def test_only_figures_imports_matplotlib():
    """Pictures are drawn in one place, in one style."""
    users = {
        p.relative_to(SOURCE).as_posix()
        for p in SOURCE.rglob("*.py")
        if any(name.split(".")[0] in {"matplotlib", "seaborn"} for name in imported(p))
    }
    assert all(name.startswith("publishing/figures/") for name in users)


def test_there_are_notebooks():
    """The tests on notebooks have something to look at."""
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_was_run_in_order(path):
    """A notebook is committed run from top to bottom, with outputs, and without a warning."""
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert outputs
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_thin(path):
    """Code cells are a few lines, and define and open nothing."""
    for cell in code_cells(path):
        assert len(cell.source.strip().splitlines()) <= MAX_LINES, cell.source
        assert not re.search(r"^\s*(?:def|class|async def) |(?<!\.)\bopen\(", cell.source, re.MULTILINE), cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_is_introduced_by_prose(path):
    """No more than three code cells follow each other without a sentence."""
    kinds = [cell.cell_type for cell in nbformat.read(path, as_version=4).cells]
    assert "codecodecodecode" not in "".join(kinds)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_picture_has_alternative_text(path):
    """Each picture says in words what it shows."""
    for cell in code_cells(path):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                assert output.metadata.get("image/png", {}).get("alt", "").strip(), cell.source


def test_environment_lists_the_packages_of_the_project():
    """environment.yml names the packages and Pythons of pyproject.toml, each in its range, and this package last."""
    lines = re.findall(r"^ +- ([^:\n]+)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    channel, python, pip, *packages, last = lines
    assert (channel, python, pip) == ("conda-forge", f"python {PROJECT['requires-python']}", "pip")
    assert sorted(line.replace("flit-core", "flit_core") for line in packages) == sorted(PROJECT["dependencies"])
    assert last == "-e ."


@pytest.mark.parametrize(("lock", "extras"), [("requirements.txt", []), ("requirements-test.txt", ["test"])])
def test_lock_holds_every_direct_package(lock, extras):
    """A lock pins each package that the project asks for, by hash, and names no address."""
    text = (ROOT / lock).read_text()
    locked = {requirement(name) for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)}
    wanted = PROJECT["dependencies"] + [item for extra in extras for item in PROJECT["optional-dependencies"][extra]]
    assert {requirement(item) for item in wanted} <= locked
    assert "http" not in re.sub(r"^http[a-z0-9-]*==", "", text, flags=re.MULTILINE)
    assert "--hash=sha256:" in text


def test_no_file_names_a_registry():
    """No file that is or would be committed names the host of a package registry."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    assert paths
    found = [(str(p), host) for p in paths for host in HOSTS if host.encode() in p.read_bytes().lower()]
    assert not found


def test_readme_names_every_command():
    """README names each command that `make help` lists."""
    commands = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    readme = (ROOT / "README.md").read_text()
    assert commands
    missing = [name for name in commands if not re.search(rf"\bmake {name}\b|`{name}`", readme)]
    assert not missing


def test_results_in_the_readme_are_those_of_the_front_page():
    """Each sentence of results is one that the front page says in its committed outputs, number by number."""
    outputs = [output for cell in code_cells(ROOT / "notebooks" / "00_reading_guide.ipynb") for output in cell.outputs]
    page = " ".join(output.get("data", {}).get("text/markdown", "") for output in outputs)
    page = " ".join(re.sub(r" \(\[[^)]*\)\)|\*\*", "", page).split())
    quoted = "\n".join(re.findall(r"^> (.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    sentences = [" ".join(text.split()) for text in re.split(r"^- ", quoted, flags=re.MULTILINE)[1:]]
    assert len(sentences) == 3
    assert not [text for text in sentences if text not in page]


def test_hooks_run_what_make_lint_runs():
    """A commit is checked by the project's own programs; no hook is fetched, and no file of answers passes."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [part["repo"] for part in hooks] == ["local"]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    programs = [hook for hook in hooks[0]["hooks"] if hook["language"] == "system"]
    assert len(programs) == len(lint.splitlines())
    for hook in programs:
        assert " ".join(hook["entry"].removeprefix(".venv/").split()[:2]).replace("bin/", "$(BIN)/") in lint
    own = next(hook for hook in hooks[0]["hooks"] if hook["language"] == "fail")
    for path, refused in {"answers.xlsx": True, "notebooks/a.csv": True, "data/public/rents.csv": False}.items():
        assert (bool(re.search(own["files"], path)) and not re.search(own["exclude"], path)) is refused


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stand_in_is_named_at_every_number(path):
    """The first output says that nobody answered; each figure and released table names the stand-in as its source."""
    texts = pd.read_csv(ROOT / "data" / "codebook" / "texts.csv").set_index("key")["en"]
    notes = [text.partition("{day}")[0] for text in texts[texts.index.str.startswith("note.")]]
    notes = [text for text in notes if "{" not in text]
    outputs = [output for cell in code_cells(path) for output in cell.outputs]
    assert texts["banner"] in outputs[0]["data"]["text/markdown"]
    for output, following in zip(outputs, [*outputs[1:], {}], strict=True):
        if "image/png" in output.data:
            assert texts["source.standin"] in following["data"]["text/markdown"]
        shown = output.data.get("text/html", "")
        if "<tfoot>" in shown:  # what no respondent is in has a note of its own
            assert texts["source.standin"] in shown or any(text in html.unescape(shown) for text in notes)


def test_standards_in_prose_are_those_of_the_code():
    """Each quantity in the notebooks' text and in the titles is a default of `needs`, or the level of an interval."""
    home, debt, way = housing.STANDARDS, income_debt.STANDARDS, commuting.STANDARDS
    shares = (home.burden_above_share, debt.limit_share, conditions.LINE, 0.95, 0.05)
    allowed = {f"{100 * share:g} %" for share in shares} | {f"{debt.least_left_dh:,.0f} DH"}
    allowed |= {"0 %", "100 %"}  # the ends of a range, in the tables that say where a value stands
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    texts = pd.read_csv(ROOT / "data" / "codebook" / "texts.csv").set_index("key")["en"]
    prose += list(texts[texts.index.str.match("title|topic")])
    found = {quantity for text in prose for quantity in re.findall(r"\d[\d,.]* (?:%|DH)", text)}
    assert found <= allowed
    assert f"{100 * home.burden_above_share:g} %" in found
    assert (home.crowded_above_n, way.long_above_min) == (2, 60)  # in words: two people per room, an hour
    assert "two people" in texts["topic.crowded"]
    assert "an hour" in texts["topic.commute_long"]


def test_helpers_of_tests_have_names_of_their_own():
    """Folders of tests are on one path: of two helper modules of one name, whichever comes first hides the other."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py"))
    assert {name for name, count in names.items() if count > 1} <= {"__main__.py", "conftest.py"}


def test_links_between_pages_lead_to_a_heading():
    """A link of a notebook names a page of the site and, behind `#`, one of its headings."""
    made = {"confidentiality", "glossary", "what_if", "index"}
    texts = {
        p.stem: [c.source for c in nbformat.read(p, as_version=4).cells if c.cell_type == "markdown"] for p in NOTEBOOKS
    }
    anchors = {}
    for stem, cells in texts.items():
        headings: dict = {"headings": []}
        for cell in cells:
            markdown(cell, headings)
        anchors[stem] = {anchor for _, anchor, _ in headings["headings"]}
    links = [
        (s, *link)
        for s, cells in texts.items()
        for c in cells
        for link in re.findall(r"\]\((?:(\w+)\.\w+)?#?([\w-]*)\)", c)
    ]
    assert len(links) > 40
    for stem, page, anchor in links:
        page = page or stem
        assert page in texts or page in made, (stem, page)
        assert not anchor or anchor in anchors[page], (stem, page, anchor)


def test_whatever_is_reported_has_a_source_that_a_reader_can_follow():
    """It is an address, a short name that ``sources.csv`` explains, or the questionnaire; each short name is used."""
    folder = ROOT / "data" / "public"
    names = set(pd.read_csv(folder / "sources.csv")["id"])
    tables = {path.name: pd.read_csv(path, keep_default_na=False) for path in folder.glob("*.csv")}
    cited = [
        (name, source, kind)
        for name, table in tables.items()
        if "source" in table
        for source, kind in zip(table["source"], table.get("kind", table["source"]), strict=True)
    ]
    assert len(cited) > 800
    assert not [
        (name, source)
        for name, source, kind in cited
        if kind == "reported" and not re.search("https?://|codebook|^source.seed$", source)
        if not any(short in source for short in names)
    ]
    assert not [short for short in names if not any(short in source for _, source, _ in cited)]
    assert not [source for _, source, _ in cited if re.search(r"facts \d", source)]
