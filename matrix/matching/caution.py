"""How sure the machine must be before it answers a reporter by itself."""

from enum import StrEnum

__all__ = ["Caution"]


class Caution(StrEnum):
    """Three levels; what each reached on rumors it was not trained on stands beside the model.

    A wrong answer is taken to cost as many needless questions as `cost` says; answering pays from
    a likelihood of cost / (cost + 1) on. Source: docs/decisions/0011.
    """

    CAREFUL = "谨慎"
    STANDARD = "标准"
    EAGER = "积极"

    @property
    def cost(self) -> float:
        """Needless questions that one wrong answer weighs."""
        return {Caution.CAREFUL: 6.0, Caution.STANDARD: 3.0, Caution.EAGER: 1.0}[self]

    @property
    def score(self) -> float:
        """The least score, 0 to 100, that is answered."""
        return 100 * self.cost / (self.cost + 1)
