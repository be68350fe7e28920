"""French spaces: a mark never begins a line, nor does a quotation mark end one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: An ordinary space before a mark that ends a clause, or inside quotation marks.
LOOSE = re.compile(r"(?<=[\w»)\]}…’'\"*>%]) [:;?!»](?=[\s<'\"»,.)]|$)|« ", re.MULTILINE)
SPOKEN = ("web/words.py", "web/problems.py", "service/stories.py", "service/to_do.py", "service/unreached.py")


def test_pages_keep_their_marks_beside_the_word_before_them() -> None:
    loose = {
        path.name: found.group(0)
        for path in (ROOT / "templates" / "pages").glob("*.html")
        if (found := LOOSE.search(path.read_text("utf-8")))
    }
    assert loose == {}


@pytest.mark.parametrize("module", SPOKEN)
def test_what_the_service_says_keeps_its_marks_beside_the_word_before_them(module: str) -> None:
    tree = ast.parse((ROOT / "matcher" / module).read_text("utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docs]
    assert [one for one in said if isinstance(one, str) and LOOSE.search(one)] == []
