"""Which files hang on which."""

from __future__ import annotations

from trainlint.static.graph import MOST_CALLERS, Graph, Links


def graph(**files):
    """Return the graph of files: what each imports from which, its classes, what of it is called."""
    return Graph({f"{name}.py": Links(*links) for name, links in files.items()})


def test_a_file_hangs_on_what_it_imports_and_on_what_that_imports():
    found = graph(
        main=({"net.py": ["Net"]}, [], []),
        net=({"parts.py": ["*"]}, [], []),
        parts=({}, [], []),
        other=({}, [], []),
    )
    assert found.hangs_on("main.py") == {"main.py", "net.py", "parts.py"}
    assert found.hanging_on("parts.py") == {"main.py", "net.py", "parts.py"}
    assert found.hangs_on("parts.py") == {"parts.py"}
    assert found.hanging_on("main.py") == {"main.py"}


def test_files_that_import_each_other_hang_on_each_other():
    found = graph(one=({"two.py": ["*"]}, [], []), two=({"one.py": ["*"]}, [], []))
    assert found.hangs_on("one.py") == found.hanging_on("one.py") == {"one.py", "two.py"}


def test_a_file_in_which_it_counts_what_is_passed_hangs_on_its_callers_and_their_imports():
    found = graph(
        engine=({}, [], ["train"]),
        main=({"engine.py": ["train"], "net.py": ["Net"]}, [], []),
        net=({}, [], []),
        plot=({"engine.py": ["curve"]}, [], []),
    )
    assert found.hangs_on("engine.py") == {"engine.py", "main.py", "net.py"}
    assert found.hanging_on("net.py") == {"engine.py", "main.py", "net.py", "plot.py"}
    assert found.hanging_on("plot.py") == {"plot.py"}


def test_what_many_call_is_unknown_and_hangs_on_none_of_them():
    def with_callers(number):
        imports = {"engine.py": ["train"]}
        callers: dict[str, tuple[dict[str, list[str]], list[str], list[str]]] = {
            f"caller{one}": (imports, [], []) for one in range(number)
        }
        return graph(engine=({}, [], ["train"]), **callers).hangs_on("engine.py")

    assert len(with_callers(MOST_CALLERS)) == MOST_CALLERS + 1
    assert with_callers(MOST_CALLERS + 1) == {"engine.py"}


def test_of_a_reader_of_a_class_nothing_but_its_own_text_counts():
    found = graph(
        net=({}, ["Net"], []),
        main=({"net.py": ["Net"], "data.py": ["Data"]}, [], []),
        data=({}, ["Data"], []),
    )
    assert found.hangs_on("net.py") == {"net.py", "main.py"}
    assert found.hanging_on("main.py") == {"main.py", "net.py", "data.py"}
    assert found.hanging_on("data.py") == {"data.py", "main.py"}


def test_a_package_hands_on_what_it_imports():
    links = {
        "nets/net.py": Links({}, ["Net", "Other"], []),
        "nets/__init__.py": Links({"nets/net.py": ["Net"]}, [], []),
        "main.py": Links({"nets/__init__.py": ["Net"]}, [], []),
        "else.py": Links({"nets/__init__.py": ["version"]}, [], []),
    }
    found = Graph(links)
    assert found.importers("nets/net.py", ("Net",)) == {"nets/__init__.py", "main.py"}
    assert found.importers("nets/net.py", ("Other",)) == set()
    assert found.hangs_on("nets/net.py") == {"nets/net.py", "nets/__init__.py", "main.py"}
