"""What is published: drafts with their signatures, and the bulletin itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matrix.core.case import REBUTTABLE, Grade, Verdict
from matrix.core.entity import Entity
from matrix.core.lifecycle import Facts, Lifecycle, nothing_followed, row
from matrix.core.roles import OWNERS, REVIEWERS, Actor, Role


class Kind(StrEnum):
    """Kinds of bulletin (domain §1)."""

    FIRST = "first"
    UPDATE = "update"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"
    HOLDING = "holding"
    STATEMENT = "statement"
    CAMPAIGN = "campaign"
    IMPORTED = "imported"


REBUTTALS = frozenset({Kind.FIRST, Kind.UPDATE})
TWO_SIGNERS = frozenset({Kind.HOLDING, Kind.WITHDRAWAL})


class RevisionState(StrEnum):
    """A version of a text on its way through the three reviews."""

    DRAFT = "draft"
    REVIEW_1 = "review-1"
    REVIEW_2 = "review-2"
    REVIEW_3 = "review-3"
    SIGNED = "signed"
    SIGNED_URGENT = "signed-urgent"
    RATIFIED = "ratified"
    REFUSED = "refused"
    SENT_BACK = "sent-back"
    PULLED_BACK = "pulled-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision(Entity):
    """A text in four parts. Never edited after it is submitted: a change is a new revision.

    ``corrects`` is the bulletin that a correction or withdrawal is about, ``original`` the kind
    that a line of corrections began with. ``digest`` is the SHA-256 of the parts, which is what
    reviewers sign; the two dates may move afterwards.
    """

    state: RevisionState = RevisionState.DRAFT
    case: str
    kind: Kind
    serial: int
    title: str = ""
    fact: str = ""
    rumor: str = ""
    why: str = ""
    todo: str = ""
    drafter: str
    unit: str = ""
    urgent: bool = False
    digest: str = ""
    corrects: str = ""
    original: Kind | None = None
    comment: str = ""
    expires_at: datetime | None = None
    review_at: datetime | None = None
    created_at: datetime
    signed_at: datetime | None = None

    @property
    def judged_as(self) -> Kind:
        """What it needs: a correction the same as the original, by default a rebuttal."""
        return (self.original or Kind.FIRST) if self.kind is Kind.CORRECTION else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Entity):
    """A signature (or a sending back) on one revision's digest. ``undone`` keeps the record."""

    revision: str
    case: str
    step: int
    person: str
    passed: bool
    digest: str
    comment: str = ""
    undone: bool = False
    at: datetime


def complete(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """Title and fact are there; a rebuttal also quotes the rumor and says why it is wrong."""
    del actor, facts
    needed = [revision.title, revision.fact]
    if revision.judged_as in REBUTTALS:
        needed += [revision.rumor, revision.why]
    return all(part.strip() for part in needed)


def lint_clean(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """No blocking remark of the linter is left."""
    del revision, actor
    return not facts.get("blocking", ())


def verdict_allows(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """What a bulletin needs by kind (domain §7.1): verdict and sources."""
    del actor
    return allowed_by_verdict(
        kind=revision.judged_as,
        verdict=facts.get("verdict"),
        grade=facts.get("grade", Grade.BLUE),
        publishable=int(facts.get("publishable", 0)),
    )


def allowed_by_verdict(
    *, kind: Kind, verdict: Verdict | None, grade: Grade, publishable: int
) -> bool:
    """Whether a bulletin of this kind may be made. Source: domain §7.1."""
    if kind in REBUTTALS:
        return verdict in REBUTTABLE and publishable >= (2 if grade.urgent else 1)
    if kind is Kind.STATEMENT:
        return verdict is not None and verdict is not Verdict.FALSE and publishable >= 1
    if kind is Kind.HOLDING:
        return verdict in {None, Verdict.DOUBTFUL, Verdict.UNVERIFIABLE}
    return True


def drafter_is_actor(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """Only who drafted it (or their unit's head) submits and pulls back."""
    del facts
    return revision.drafter == actor.person or (
        actor.role is Role.UNIT_HEAD and actor.unit == revision.unit
    )


def four_eyes(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """Nobody signs what they drafted, nobody signs twice."""
    return actor.person != revision.drafter and actor.person not in facts.get("signers", ())


def not_verifier_when_urgent(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """At red and orange nobody verifies, drafts and signs the same case (domain §7.6)."""
    del revision
    return not facts.get("urgent_grade") or actor.person not in facts.get("verifiers", ())


def short_path(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """Two signatures suffice for holding notices and withdrawals, and on the urgent path."""
    del actor, facts
    return revision.kind in TWO_SIGNERS or revision.urgent


def long_path(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """Three signatures."""
    return not short_path(revision, actor, facts)


def is_urgent(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """On the urgent path the first review is made up within 24 hours."""
    del actor, facts
    return revision.urgent and revision.kind not in TWO_SIGNERS


def not_urgent(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """The ordinary end of the reviews."""
    return not is_urgent(revision, actor, facts)


def signer_is_actor(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """A signature is taken back by who gave it."""
    del revision
    return facts.get("signer") == actor.person


def unpublished(revision: Revision, actor: Actor, facts: Facts) -> bool:
    """Signed texts can be taken back until they are out."""
    del revision, actor
    return not facts.get("published")


_S = RevisionState
_SIGN = (four_eyes, not_verifier_when_urgent)
_SUBMIT = (drafter_is_actor, complete, lint_clean, verdict_allows)
REVISION = Lifecycle[Revision](
    "revision",
    [
        row(_S.DRAFT, "submit", _S.REVIEW_1, OWNERS, *_SUBMIT, long_path),
        row(_S.DRAFT, "submit_short", _S.REVIEW_2, OWNERS, *_SUBMIT, short_path),
        row(_S.REVIEW_1, "pass", _S.REVIEW_2, {Role.REVIEWER_1}, *_SIGN),
        row(_S.REVIEW_2, "pass", _S.REVIEW_3, {Role.REVIEWER_2}, *_SIGN),
        row(_S.REVIEW_3, "pass", _S.SIGNED, {Role.REVIEWER_3}, *_SIGN, not_urgent),
        row(_S.REVIEW_3, "pass_urgent", _S.SIGNED_URGENT, {Role.REVIEWER_3}, *_SIGN, is_urgent),
        row(_S.REVIEW_1, "send_back", _S.SENT_BACK, {Role.REVIEWER_1}),
        row(_S.REVIEW_2, "send_back", _S.SENT_BACK, {Role.REVIEWER_2}),
        row(_S.REVIEW_3, "send_back", _S.SENT_BACK, {Role.REVIEWER_3}),
        row(
            (_S.REVIEW_1, _S.REVIEW_2, _S.REVIEW_3),
            "pull_back",
            _S.PULLED_BACK,
            {*OWNERS, Role.REVIEWER_2, Role.DESK},
        ),
        row(_S.DRAFT, "drop", _S.PULLED_BACK, {Role.DESK}, nothing_followed),
        row(_S.SIGNED, "pull_back", _S.PULLED_BACK, {*OWNERS, Role.PUBLISHER}, unpublished),
        row(_S.REVIEW_2, "undo", _S.REVIEW_1, REVIEWERS, signer_is_actor, nothing_followed),
        row(_S.REVIEW_3, "undo", _S.REVIEW_2, REVIEWERS, signer_is_actor, nothing_followed),
        row(
            _S.SIGNED,
            "undo",
            _S.REVIEW_3,
            REVIEWERS,
            signer_is_actor,
            nothing_followed,
            unpublished,
        ),
        row(_S.SIGNED_URGENT, "ratify", _S.RATIFIED, {Role.REVIEWER_1}, four_eyes),
        row(_S.SIGNED_URGENT, "refuse", _S.REFUSED, {Role.REVIEWER_1}, four_eyes),
    ],
)


class BulletinState(StrEnum):
    """Only *current* is ever offered as an answer."""

    SIGNED = "signed"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin(Entity):
    """One published text. ``number`` is unique; ``claim_text`` is what matching compares with.

    ``change`` grows with every write that matters to matching: the index follows it.
    """

    state: BulletinState
    kind: Kind
    number: str
    case: str = ""
    revision: str = ""
    title: str
    short: str
    body: str
    claim_text: str
    claim_key: str = ""
    url: str = ""
    issuer: str
    verdict: Verdict | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    review_at: datetime | None = None
    supersedes: str = ""
    references: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    reason: str = ""
    change: int = 0
    drill: bool = False

    @property
    def answers(self) -> bool:
        """Whether it may answer a reporter: a rebuttal or an imported one, and current.

        What was written for a drill never answers anybody.
        """
        kinds = {*REBUTTALS, Kind.CORRECTION, Kind.IMPORTED}
        return self.state is BulletinState.CURRENT and self.kind in kinds and not self.drill


_B = BulletinState
BULLETIN = Lifecycle[Bulletin](
    "bulletin",
    [
        row(_B.SIGNED, "publish", _B.CURRENT, {Role.PUBLISHER, Role.MACHINE}),
        row(_B.CURRENT, "supersede", _B.SUPERSEDED, {Role.PUBLISHER, Role.MACHINE}),
        row(_B.CURRENT, "correct", _B.CORRECTED, {Role.PUBLISHER, Role.MACHINE}),
        row(_B.CURRENT, "withdraw", _B.WITHDRAWN, {Role.PUBLISHER, Role.MACHINE}),
        row(_B.CURRENT, "expire", _B.EXPIRED, {Role.CLOCK}),
        row(_B.EXPIRED, "prolong", _B.CURRENT, REVIEWERS),
    ],
)
