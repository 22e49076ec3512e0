"""Rows of one instant as trails through a multigraph: each row is an edge from the balance before it to the balance after it.

Where there is one balance, all rows are one trail from where it stood (``one_trail``). Where there may be several, zero is not a place to stand on: a chain that empties is closed, one that leaves zero is new. So zero is the one vertex
where every trail may begin and end, and a set of rows is explained if and only if, with the chains open before as
further beginnings, the graph has an Eulerian circuit through it (Hierholzer's algorithm: linear in the rows).
What the open chains cannot explain begins ``NOWHERE``: as few such trails as possible, in an order that depends on the
order of the edges only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple


class Origin(Enum):
    OPEN = "continues an open chain"
    ZERO = "a new chain"
    NOWHERE = "nothing explains where it begins"


class Trail(NamedTuple):
    """``edges``: indices, in the order in which the rows happened."""

    origin: Origin
    edges: list[int]


class _Step(NamedTuple):
    """From ``tail`` to ``head``: a row, or (``edge`` < 0) the way from or to zero that stands for a chain's beginning or end."""

    head: Decimal
    edge: int
    origin: Origin = Origin.ZERO


def one_trail(edges: Sequence[tuple[Decimal, Decimal]], start: Decimal) -> list[int] | None:
    """The order in which all ``edges`` lead on from ``start``, through zero like any other balance; None if there is none."""
    steps: dict[Decimal, list[int]] = defaultdict(list)
    for index in range(len(edges) - 1, -1, -1):
        steps[edges[index][0]].append(index)
    way: list[int] = []
    stack = [-1]
    while stack:
        ahead = steps.get(edges[stack[-1]][1] if stack[-1] >= 0 else start)
        if ahead:
            stack.append(ahead.pop())
        else:
            way.append(stack.pop())
    order = way[-2::-1]
    tails = [start, *(edges[index][1] for index in order)]
    whole = len(order) == len(edges) and all(edges[index][0] == tail for index, tail in zip(order, tails, strict=False))
    return order if whole else None


def trails(edges: Sequence[tuple[Decimal, Decimal]], ends: Iterable[Decimal]) -> list[Trail]:
    """All ``edges`` (balance before, balance after) as trails; ``ends`` are the non-zero balances of the open chains."""
    zero = Decimal(0)
    starts = {tail for tail, _ in edges}
    flow = Counter(end for end in ends if end in starts)
    steps: dict[Decimal, list[_Step]] = defaultdict(list)
    begin = [_Step(value, -1, Origin.OPEN) for value, number in flow.items() for _ in range(number)]
    for tail, head in edges:
        flow[head] += 1
        flow[tail] -= 1
    for value, number in flow.items():
        if value and number < 0:
            begin += [_Step(value, -1, Origin.NOWHERE)] * -number
        elif value:
            steps[value] += [_Step(zero, -1)] * number  # taken last: a trail goes on as long as it can
    for index in range(len(edges) - 1, -1, -1):
        tail, head = edges[index]
        steps[tail].append(_Step(head, index))
    steps[zero] += begin[::-1]  # taken first: a chain that is open goes on before a new one begins
    found = _split(_circuit(steps, zero))
    for index, (tail, _) in enumerate(edges):
        if steps[tail] and steps[tail][-1].edge == index:  # a circle that no chain touches
            steps[tail].insert(0, _Step(zero, -1))
            steps[zero].append(_Step(tail, -1, Origin.NOWHERE))
            found += _split(_circuit(steps, zero))
    return found


def _circuit(steps: dict[Decimal, list[_Step]], zero: Decimal) -> list[_Step]:
    """Every step that can be reached from zero, once each, as one way from zero back to zero."""
    way: list[_Step] = []
    stack = [_Step(zero, -1)]
    while stack:
        ahead = steps[stack[-1].head]
        if ahead:
            stack.append(ahead.pop())
        else:
            way.append(stack.pop())
    return way[-2::-1]


def _split(way: Iterable[_Step]) -> list[Trail]:
    """Cut at zero; ways without a row (a chain that nothing happened to) are left out."""
    found: list[Trail] = []
    current = Trail(Origin.ZERO, [])
    for step in way:
        if step.edge >= 0:
            current.edges.append(step.edge)
        elif step.head:
            current = Trail(step.origin, [])
        if not step.head:
            found.append(current)
            current = Trail(Origin.ZERO, [])
    return [trail for trail in found if trail.edges]
