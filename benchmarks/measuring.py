"""How a benchmark measures: product and limit by turns in the same minutes; a gate is the median of the pairs' ratios."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from django.db import connections

PAIRS = 5


@dataclass(frozen=True)
class Figure:
    """One gate: a value held against a target, and in `seen` what it was made of. Without a target: just a figure."""

    name: str
    value: float
    target: float | None
    at_most: bool = False
    unit: str = "%"
    seen: str = ""

    @property
    def is_met(self) -> bool:
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target


class AnswersDiffer(Exception):
    """Product and limit did not come to the same rows, so their times say nothing."""


class CannotMeasure(Exception):
    """Something that a benchmark needs is not here; says what."""


def agree(what: str, product: Any, limit: Any) -> None:
    """Raises AnswersDiffer unless both are the same."""
    if product != limit:
        raise AnswersDiffer(f"{what}: product {product!r:.600} but limit {limit!r:.600}")


@dataclass(frozen=True)
class Pairs:
    """Rates of product and limit, pair by pair; per second."""

    product: tuple[float, ...]
    limit: tuple[float, ...]

    @property
    def percent(self) -> float:
        """The product's rate in per cent of the limit's: the median of the pairs."""
        return 100 * statistics.median(mine / best for mine, best in zip(self.product, self.limit, strict=True))

    @property
    def seen(self) -> str:
        return f"{statistics.median(self.product):,.0f}/s of {statistics.median(self.limit):,.0f}/s"


def by_turns(product: Callable[[], float], limit: Callable[[], float], pairs: int = PAIRS) -> Pairs:
    """Measures both, one after the other, `pairs` times, after a first turn that only warms up."""
    rates = [(product(), limit()) for _ in range(pairs + 1)][1:]
    return Pairs(tuple(rate for rate, _ in rates), tuple(rate for _, rate in rates))


def rate_of(count: int, work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """How many a second, when `work` does `count`. `clock` may be the processor's, for work that waits for nothing."""
    started = clock()
    work()
    return count / (clock() - started)


Jobs = dict[str, Callable[[int], Any]]


class Team:
    """Processes with a connection each, which do the same job at the same time."""

    def __init__(self, workers: list[tuple[BaseProcess, Connection]]) -> None:
        self.workers = workers

    def ask(self, job: str, count: int) -> list[Any]:
        """Lets everybody do `job(count)` at once; what each answers."""
        for _, pipe in self.workers:
            pipe.send((job, count))
        answers = [_heard(worker, pipe) for worker, pipe in self.workers]
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers

    def rate(self, job: str, count: int) -> float:
        """How many a second all together, when each does `count` and answers at what rate."""
        return float(sum(self.ask(job, count)))


@contextmanager
def team(size: int, hire: Callable[[int], Jobs]) -> Iterator[Team]:
    """`size` processes; `hire(number)` runs in each of them and gives the jobs it can do."""
    for alias in connections:
        connections[alias].close()
    context = multiprocessing.get_context("fork")
    pairs = [context.Pipe() for _ in range(size)]
    workers = [context.Process(target=_serve, args=(hire, n, theirs)) for n, (_, theirs) in enumerate(pairs)]
    for worker in workers:
        worker.start()
    hired = [(worker, mine) for worker, (mine, _) in zip(workers, pairs, strict=True)]
    try:
        yield Team(hired)
    finally:
        for worker, pipe in hired:
            pipe.send(None)
            worker.join(10)
            worker.kill()


def _heard(worker: BaseProcess, pipe: Connection) -> Any:
    """The worker's answer. Raises RuntimeError when it ended without one."""
    while not pipe.poll(1):
        if not worker.is_alive():
            raise RuntimeError(f"A process of the benchmark ended with {worker.exitcode}.")
    return pipe.recv()


def _serve(hire: Callable[[int], Jobs], number: int, pipe: Connection) -> None:
    jobs = hire(number)
    while (order := pipe.recv()) is not None:
        job, count = order
        try:
            pipe.send(jobs[job](count))
        except Exception as error:
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
    for alias in connections:
        connections[alias].close()
