"""The code of an answer, by language, as CommonMark reads its fences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_streamchat.blocks import Blocks, pieces

ANSWER = """First:

```python
x = "```"
```

~~~sql
SELECT 1
```
~~~

   ```PY title=other
   y = 2
     z = 3
   ```

```
no language
"""


def test_blocks_are_found_by_their_language() -> None:
    blocks = Blocks(ANSWER)
    assert blocks["python"] == 'x = "```"\n\ny = 2\n  z = 3'
    assert blocks["py"] == blocks["python"]
    assert blocks["sql"] == "SELECT 1\n```"
    assert list(blocks) == ["python", "sql", ""]
    assert blocks.all[-1] == ("", "no language\n")


def test_a_language_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(KeyError, match="'rust' in the answer; it has 'python', 'sql'"):
        Blocks(ANSWER)["rust"]
    with pytest.raises(KeyError, match="no code"):
        Blocks("words")["rust"]


@given(st.lists(st.sampled_from(["```", "```py", "~~~", "x = 1", "", "   ```", "    ```"])))
def test_pieces_keep_every_line_that_is_no_fence(lines: list[str]) -> None:
    text = "\n".join(lines)
    kept = "\n".join(piece.text for piece in pieces(text)).split("\n")
    assert kept.count("x = 1") == lines.count("x = 1")
