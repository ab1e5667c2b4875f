"""YAML, JSON and TOML are read as their own loaders read them, and every value knows its place."""

from __future__ import annotations

import builtins
import json
import tomllib

import pytest
import yaml

from trainlint.static.configs.json_text import read_json
from trainlint.static.configs.toml_text import read_toml
from trainlint.static.configs.values import CannotReadError, Mapping, Scalar, Sequence
from trainlint.static.configs.yaml_text import MISSING, read_yaml

READERS = {"json": read_json, "toml": read_toml, "yaml": read_yaml}

JSON = """\
{
  "lr": 1e-3, "big": -12, "on": true, "off": false, "nothing": null,
  "ä \\"key\\"": "tab\\there \\u00e9 😀", "empty": {}, "none": [], "": 0,
  "nested": [[1, [2.5]], {"a": {"b": [ "x" , "y" ]}}]
}
"""
TOML = """\
title = "a # is no comment"  # one
lr = 1_000.5
'quoted key' = 'C:\\raw'
a.b . c = [1, [2, 3], # two
  { x = "}", y = [ ] },
]
when = 1979-05-27 07:32:00
text = \"\"\"
several "quoted" lines # no comment\"\"\"
other = '''it's ''raw'''

[table."with.dot".inner] # three
on = true
hex = 0xff

[[many]]
n = 1
[[many]]
n = 2
[many.under]
x = 3
[[many.deep]]
y = -4e-2
"""
YAML = """\
# one
base: &base {lr: 0.5, betas: [0.9, 0.999]}
plain: text with a '#' that is none  # two
block: |
  # no comment
  more
folded: "quoted # too
  goes on"
list:
- 1
-   - two
    - {three: 3}
key with spaces: ~
on: off
"é": 😀  # three
copy: *base
merged:
  <<: [*base, {lr: 9, more: 1}]
  betas: !!python/tuple [1, 2]
again: &again
  - *base
"""


def plain(value):
    """Return what a value is, as a loader gives it."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Sequence):
        return [plain(item) for item in value.items]
    return {key: plain(entry.value) for key, entry in value.entries.items()}


def scalars(value):
    """Yield every scalar in a value, the keys of mappings too."""
    if isinstance(value, Scalar):
        yield value
    elif isinstance(value, Sequence):
        for item in value.items:
            yield from scalars(item)
    else:
        for entry in value.entries.values():
            yield entry.key
            yield from scalars(entry.value)


def only(text):
    """Return the one document of a text, which must be a mapping."""
    (document,) = text.documents
    assert isinstance(document, Mapping)
    return document


def at(text, document, *path):
    """Return the text at the place of a value."""
    value = document
    for step in path:
        value = value.items[step] if isinstance(value, Sequence) else value.get(step)
    return text[value.start : value.end]


def test_json_is_what_the_standard_library_reads():
    assert plain(read_json(JSON).documents[0]) == json.loads(JSON)


def test_toml_is_what_the_standard_library_reads_but_for_dates_and_other_bases():
    ours, theirs = plain(read_toml(TOML).documents[0]), tomllib.loads(TOML)
    assert ours.pop("when") == "1979-05-27 07:32:00"
    assert ours["table"]["with.dot"]["inner"].pop("hex") == "0xff"
    del theirs["when"], theirs["table"]["with.dot"]["inner"]["hex"]
    assert ours == theirs


def test_yaml_is_what_pyyaml_reads():
    text = YAML.replace("!!python/tuple ", "")
    ours, theirs = plain(read_yaml(text).documents[0]), yaml.safe_load(text)
    # Versions of PyYAML disagree which of two that are merged in counts; and a key is what is written.
    assert ours["merged"].pop("lr") is None
    del theirs["merged"]["lr"]
    assert ours.pop("on") is theirs.pop(True) is False
    assert ours == theirs


@pytest.mark.parametrize("text", ["{lr: 1e-3}", "lr: 1e-3", "lr: 1E-3", "lr: .1e-2", "lr: 0.001"])
def test_a_number_of_yaml_is_what_people_mean_even_where_pyyaml_reads_a_text(text):
    assert plain(read_yaml(text).documents[0]) == {"lr": 1e-3}


@pytest.mark.parametrize(("text", "value"), [("'1'", "1"), ("5_000", 5000), ("1:30", "1:30")])
def test_quotes_make_a_text_of_a_number_and_underscores_do_not(text, value):
    assert plain(read_yaml(f"x: {text}").documents[0]) == {"x": value}


@pytest.mark.parametrize("pure", [True, False])
@pytest.mark.parametrize(("name", "text"), [("json", JSON), ("toml", TOML), ("yaml", YAML)])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_number_stands_where_it_says(name, text, end, pure, monkeypatch):
    if pure:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    text = text.replace("\n", end)
    numbers = [
        one for one in scalars(READERS[name](text).documents[0]) if type(one.value) in {int, float}
    ]
    assert len(numbers) >= 5
    for one in numbers:
        assert float(text[one.start : one.end].replace("_", "")) == one.value


def test_the_place_of_a_text_leaves_its_quotes_out():
    assert at(JSON, read_json(JSON).documents[0], "nested", 1, "a", "b", 1) == "y"
    assert at(TOML, read_toml(TOML).documents[0], "title") == "a # is no comment"
    assert at(YAML, read_yaml(YAML).documents[0], "é") == "😀"
    assert at("a: &x 'q'", read_yaml("a: &x 'q'").documents[0], "a") == "q"


def test_a_list_ends_with_its_bracket_or_with_its_last_value():
    assert at(YAML, read_yaml(YAML).documents[0], "base", "betas") == "[0.9, 0.999]"
    assert at(YAML, read_yaml(YAML).documents[0], "list") == "- 1\n-   - two\n    - {three: 3}"
    assert at(TOML, read_toml(TOML).documents[0], "a", "b", "c", 1) == "[2, 3]"


def test_an_alias_is_what_it_names_and_stands_there():
    document = only(read_yaml(YAML))
    assert document.get("copy") is document.get("base")
    assert plain(document)["merged"] == {"lr": None, "betas": [1, 2], "more": 1}


@pytest.mark.parametrize(("name", "text"), [("toml", TOML), ("yaml", YAML)])
def test_comments_are_those_that_stand_in_no_text(name, text):
    comments = READERS[name](text).comments
    assert [one.text for one in comments] == ["# one", "# two", "# three"]
    assert all(text.startswith(one.text, one.start) for one in comments)


def test_a_file_of_yaml_may_hold_several_documents_each_with_its_own_anchors():
    text = read_yaml("a: &x 1\n---\nb: 2\n---\n")
    assert [plain(one) for one in text.documents] == [{"a": 1}, {"b": 2}, None]
    with pytest.raises(CannotReadError, match="no anchor is called `x`"):
        read_yaml("a: &x 1\n---\nb: *x\n")


def test_what_names_itself_is_not_followed_for_ever():
    (document,) = read_yaml("a: &x\n  b: *x\n").documents
    assert plain(document) == {"a": {"b": None}}


def test_aliases_of_aliases_take_no_more_room_than_they_take_in_the_file():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    document = only(read_yaml("\n".join(lines)))
    assert len(document.entries) == 40


@pytest.mark.parametrize(
    ("name", "text", "reason", "line"),
    [
        ("json", '{\n"a": 1,}', "is no JSON: ", 2),
        ("json", "", "is no JSON: ", 1),
        ("toml", "a = 1\nb = = 2", "is no TOML: Invalid value", 2),
        ("toml", "a = ", "is no TOML: Invalid value", None),
        ("yaml", "a: 1\nb: [1, 2\nc: 3\n", "is no YAML: ", 3),
        ("yaml", "a: \x07", "is no YAML: ", None),
        ("yaml", "a: 1\nb: *nothing\n", "is no YAML: no anchor is called `nothing`", 2),
    ],
)
def test_what_is_broken_is_told_in_one_line(name, text, reason, line):
    with pytest.raises(CannotReadError) as caught:
        READERS[name](text)
    assert caught.value.reason.startswith(reason)
    assert "\n" not in caught.value.reason
    assert name == "yaml" or caught.value.line == line


@pytest.mark.parametrize("deep", [100, 100_000])
@pytest.mark.parametrize("name", READERS)
def test_what_is_nested_too_deeply_is_refused(name, deep):
    text = "[" * deep + "]" * deep
    with pytest.raises(CannotReadError, match=r"nested|nesting"):
        READERS[name](f"a = {text}" if name == "toml" else text)


def test_without_pyyaml_yaml_says_what_to_install_and_the_others_are_read(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments):
        if name == "yaml":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CannotReadError) as caught:
        read_yaml("a: 1")
    assert caught.value.reason == MISSING
    assert "pip install 'trainlint[configs]'" in MISSING
    assert plain(read_json('{"a": 1}').documents[0]) == {"a": 1}
    assert plain(read_toml("a = 1").documents[0]) == {"a": 1}
