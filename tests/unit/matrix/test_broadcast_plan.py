"""The plan of a broadcast: every delivery in one job, jobs no larger than said."""

from hypothesis import given
from hypothesis import strategies as st

from matrix.broadcast.plan import Job, jobs, read_job

IDS = st.lists(st.text("0123456789abcdef-", min_size=1, max_size=12), unique=True).map(sorted)


@given(IDS, st.integers(1, 7))
def test_every_delivery_is_in_exactly_one_job(ids: list[str], size: int) -> None:
    made = list(jobs("campaign:1", ids, size=size))
    for one in ids:
        assert sum(job.first <= one <= job.last for job in made) == 1
    assert all(sum(job.first <= one <= job.last for one in ids) <= size for job in made)


@given(IDS, st.sampled_from(["", "webhook"]), st.sampled_from(["", "r7"]))
def test_a_job_is_read_from_its_name(ids: list[str], line: str, turn: str) -> None:
    for job in jobs("campaign:1", ids, line, turn=turn):
        assert read_job(job.name) == job
        assert (job.line, job.turn) == (line, turn)


def test_a_name_without_a_stretch_is_all_of_the_subject() -> None:
    whole = Job(subject="publish:7")
    for name in ("publish:7", "publish:7#again-2", whole.name):
        assert read_job(name) == whole
    assert read_job("publish:7#@lines>webhook") == Job(
        subject="publish:7", line="webhook", turn="lines"
    )
    assert whole.first <= "18a0" <= whole.last
