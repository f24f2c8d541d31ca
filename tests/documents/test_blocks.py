"""Documents are cut into commands and outputs."""

from __future__ import annotations

import pytest

from tests.documents.blocks import blocks_in, commands_in, is_as_shown

TEXT = """\
Words, `inline`.

```console
$ curl -i http://a \\
    -H 'x: y'
HTTP/1.1 401
...
$ make demo
```

* in a list:

  ```yaml
  a: 1
  ```

```
no language
```
"""


def test_a_command_is_one_line_with_the_output_below_it() -> None:
    (block,) = blocks_in("d.md", TEXT, "console")
    first, second = commands_in(block)

    assert ("curl -i http://a -H 'x: y'", "HTTP/1.1 401\n...\n", 4) == (first.text, first.shown, first.line)
    assert ("make demo", "", 8) == (second.text, second.shown, second.line)


def test_a_word_that_goes_on_in_the_next_line_is_one_word() -> None:
    (block,) = blocks_in("d.md", "```console\n$ get a,\\\nb > c\n```\n", "console")
    (command,) = commands_in(block)

    assert "get a,b > c" == command.text


def test_a_block_in_a_list_loses_its_indentation() -> None:
    (block,) = blocks_in("d.md", TEXT, "yaml")

    assert ("a: 1\n", 14) == (block.text, block.line)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a\nb\n", "a b"),
        ("a\n...\n", "a\nmore\nlines"),
        ("a\n...\n", "a"),
        ("{... [1] ...}", "{x [1] y}"),
        ("hf_n...[24 characters]", "hf_n...[24 characters]"),
        ("", ""),
    ],
)
def test_an_output_is_as_shown(shown: str, printed: str) -> None:
    assert is_as_shown(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"), [("a\nb", "a\nc"), ("a", "a\nmore"), ("...b", "a"), ("a.c", "abc"), ("", "something")]
)
def test_another_output_is_told(shown: str, printed: str) -> None:
    assert not is_as_shown(shown, printed)
