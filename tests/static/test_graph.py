"""Which files hang on which."""

from __future__ import annotations

import random

from trainlint.static.graph import MOST_CALLERS, Graph, Links


def graph(**files):
    """Return the graph of files: what each imports from which, its classes, what of it is called."""
    return Graph({f"{name}.py": Links(*links) for name, links in files.items()})


def hangs_on(found, path, read="other attributes"):
    """Return the files of which another content, which reads some attributes, gives another digest."""
    files = found._links
    old = dict.fromkeys(files, "old")
    before = found.digests(old)[path]
    others = {one: Graph({**files, one: files[one]._replace(read=read)}) for one in files}
    return {one for one, now in others.items() if now.digests({**old, one: "new"})[path] != before}


def test_a_file_hangs_on_what_it_imports_and_on_what_that_imports():
    found = graph(
        main=({"net.py": ["Net"]}, [], []),
        net=({"parts.py": ["*"]}, [], []),
        parts=({}, [], []),
        other=({}, [], []),
    )
    assert hangs_on(found, "main.py") == {"main.py", "net.py", "parts.py"}
    assert found.hanging_on("parts.py") == {"main.py", "net.py", "parts.py"}
    assert hangs_on(found, "parts.py") == {"parts.py"}
    assert found.hanging_on("main.py") == {"main.py"}


def test_files_that_import_each_other_hang_on_each_other():
    found = graph(one=({"two.py": ["*"]}, [], []), two=({"one.py": ["*"]}, [], []))
    assert hangs_on(found, "one.py") == found.hanging_on("one.py") == {"one.py", "two.py"}


def test_rings_of_imports_hang_on_each_other_however_they_cross():
    chance = random.Random(3)  # noqa: S311 - no secret
    for _ in range(30):
        files = [f"{number}.py" for number in range(9)]
        edges = {one: chance.sample(files, chance.choice((0, 1, 1, 2))) for one in files}
        found = Graph(
            {one: Links({to: ["*"] for to in ends}, [], []) for one, ends in edges.items()}
        )
        for one in files:
            reached, queue = {one}, [one]
            while queue:
                new = set(edges[queue.pop()]) - reached
                reached |= new
                queue += new
            assert hangs_on(found, one) == reached


def test_a_file_in_which_it_counts_what_is_passed_hangs_on_its_callers_and_their_imports():
    found = graph(
        engine=({}, [], ["train"]),
        main=({"engine.py": ["train"], "net.py": ["Net"]}, [], []),
        net=({}, [], []),
        plot=({"engine.py": ["curve"]}, [], []),
    )
    assert hangs_on(found, "engine.py") == {"engine.py", "main.py", "net.py"}
    assert found.hanging_on("net.py") == {"engine.py", "main.py", "net.py", "plot.py"}
    assert found.hanging_on("plot.py") == {"plot.py"}


def test_what_many_call_is_unknown_and_hangs_on_none_of_them():
    def with_callers(number):
        imports = {"engine.py": ["train"]}
        callers: dict[str, tuple[dict[str, list[str]], list[str], list[str]]] = {
            f"caller{one}": (imports, [], []) for one in range(number)
        }
        return hangs_on(graph(engine=({}, [], ["train"]), **callers), "engine.py")

    assert len(with_callers(MOST_CALLERS)) == MOST_CALLERS + 1
    assert with_callers(MOST_CALLERS + 1) == {"engine.py"}


def test_of_a_reader_of_a_class_nothing_counts_but_which_attributes_it_reads():
    found = graph(
        net=({}, ["Net"], []),
        main=({"net.py": ["Net"], "data.py": ["Data"]}, [], []),
        data=({}, ["Data"], []),
    )
    assert hangs_on(found, "net.py") == {"net.py", "main.py"}
    assert hangs_on(found, "net.py", read="") == {"net.py"}
    assert found.asking("main.py") == {"net.py", "data.py"}
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
    assert hangs_on(found, "nets/net.py") == {"nets/net.py", "nets/__init__.py", "main.py"}


def test_an_island_is_all_that_imports_tie_together_in_either_direction():
    found = graph(
        net=({}, [], []),
        train=({"net.py": ["Net"]}, [], []),
        test=({"net.py": ["Net"]}, [], []),
        other=({}, [], []),
    )
    assert found.islands["net.py"] == found.islands["test.py"] == {"net.py", "train.py", "test.py"}
    assert found.islands["other.py"] == {"other.py"}


def test_users_of_a_file_are_found_through_packages_that_import_each_other():
    links = {
        "nets/net.py": Links({}, ["Net"], []),
        "nets/__init__.py": Links({"nets/net.py": ["Net"], "zoo/__init__.py": ["*"]}, [], []),
        "zoo/__init__.py": Links({"nets/__init__.py": ["*", "Net"]}, [], []),
        "main.py": Links({"zoo/__init__.py": ["Net"]}, [], []),
        "else.py": Links({"nets/__init__.py": ["version"]}, [], []),
    }
    found = Graph(links).users("nets/net.py")
    assert found == {"nets/__init__.py", "zoo/__init__.py", "main.py"}
