"""What the model looks at: figures about one query and one claim, by name.

Every figure is free of the library's size: weights of terms lie between 0 and 1 (`Rarity`), counts
are counts. Groups: `wording`, the aligned `stretch`, facts (`matter`), and the `standing` among the
other candidates.
"""

from matrix.matching.features.standing import Features
from matrix.matching.features.table import Beside, lay_beside

__all__ = ["Beside", "Features", "lay_beside"]
