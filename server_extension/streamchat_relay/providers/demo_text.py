"""What the demo says: Markdown with every element that a model may write."""

from __future__ import annotations

THOUGHTS = """\
The prompt reads {topic}. I am a demo, so I understand none of it; I recite a script that shows \
every element of Markdown, and say so. First a heading, then text, lists, code and a table.
"""

SCRIPT = """\
# A demo, not a model

You asked: *{topic}*. This is the **built-in demo** of jupyter_streamchat: it needs no key and no \
network, and it knows *nothing*. It streams this fixed text at a set rate, so that you can see \
what an answer looks like, press **Stop** in the middle, or keep the kernel busy meanwhile. For \
real answers set a key such as `OPENAI_API_KEY` or `ANTHROPIC_API_KEY`, or start \
[Ollama](https://ollama.com), and pick one of its models.

## Text

Words can be *emphasised*, **strong**, ***both***, ~~struck out~~, or `inline code`. A line \
may\\
break where it wants. An address such as <https://jupyter.org> becomes a link, \
and [a link with a title](https://docs.jupyter.org "Jupyter's documentation") shows it.

> A quotation may hold *marks*,
>
> > another quotation,
>
> 1. and a list.

## Lists

1. Gradient descent takes a step downhill,
2. measures the slope again,
   - with all data: *batch*
   - with a part of it: *stochastic*
     - and with a part that is neither: *mini-batch*
3. and stops when it is flat.

- [x] Stream tokens
- [x] Show Markdown
- [ ] Understand anything

## Code

```python
from collections.abc import Callable


def descend(slope: Callable[[float], float], x: float, rate: float = 0.1) -> float:
    \"\"\"The place where a function is lowest, near `x`.\"\"\"
    for step in range(1_000):
        change = rate * slope(x)
        x -= change
        if abs(change) < 1e-9:
            break
    return x


print(f"{{descend(lambda x: 2 * (x - 3), x=0.0):.3f}}")  # 3.000
```

```sql
SELECT species, avg(bill_length_mm) AS bill FROM penguins GROUP BY species ORDER BY bill DESC;
```

```sh
pip install jupyter-streamchat && jupyter lab
```

    An indented block is code as well.

## A table

| Method              | Memory | Steps  | Remark                  |
|:--------------------|-------:|:------:|-------------------------|
| Gradient descent    |   O(n) |  many  | needs a rate            |
| Newton's method     |  O(n²) |  few   | needs second slopes     |
| L-BFGS              |  O(mn) |  some  | a *good* start          |
| Adam                |   O(n) |  many  | `rate=1e-3` often works |

## Mathematics and pictures

Inline, $x_{{k+1}} = x_k - \\eta \\nabla f(x_k)$, and on its own:

$$
\\hat\\theta = \\arg\\min_\\theta \\frac{{1}}{{n}} \\sum_{{i=1}}^{{n}} \\ell(f_\\theta(x_i), y_i)
$$

A picture from elsewhere is not fetched unasked: ![a valley, seen from above](https://example.org/valley.png)

---

### A long paragraph

Characters of all kinds pass through unharmed: naïve café, Grüße, Ελληνικά, 日本語, עברית, \
👩‍🔬 and the astral 𝛁. The rest of this paragraph is long so that you can see how a page \
scrolls while it is being written: scroll up, and it stays where you read; scroll to the \
end, and it follows again. Reload the page in the middle, and the answer goes on where it \
was, because it belongs to the relay and not to the page. Open the notebook in a second \
tab, and both show the same. Run a cell that keeps the kernel busy, and the text keeps \
coming, because it never passes through the kernel. Press Stop, and the connection to the \
provider closes at once; what came until then is kept, and the next prompt builds on it.

That was the demo's answer to *{topic}*.
"""

ECHO = """\
This is a **demo** that repeats what it was told:

{text}
"""


def topic_of(prompt: str, length: int = 80) -> str:
    """The prompt as one short line that has no effect as Markdown.

    >>> topic_of("What is *a* gradient?")
    'What is a gradient?'
    """
    line = " ".join(prompt.split()).translate(str.maketrans("", "", "*_`[]<>|#~\\$!"))
    if len(line) > length:
        line = line[: length - 1].rstrip() + "…"
    return line.strip() or "nothing"


def tokens(text: str) -> list[str]:
    """The text in pieces of three to five characters, as models speak.

    >>> tokens("gradient descent")
    ['gra', 'dien', 't des', 'cen', 't']
    """
    pieces = []
    at, size = 0, 3
    while at < len(text):
        pieces.append(text[at : at + size])
        at, size = at + size, 3 + (size - 2) % 3
    return pieces
