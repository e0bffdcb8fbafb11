"""What 客户群群发 takes, each number with its source (path/N of the WeCom documentation)."""

from datetime import timedelta

from bot.channel import Doubt, Limits, Markup

# Bytes of a text. Source: path/92135 (4000, unconfirmed).
TEXT = 4000

# Groups in one task. Source: path/92135 (≤ 2000, client 4.1.10 or later).
GROUPS = 2000

# Rows of one page of results. Source: path/93338 (≤ 1000).
PAGE = 1000
# Pages that are read at most: more groups than one task may have.
PAGES = 5

# How far back the list of tasks is read for one whose answer never came. Source: path/93338 (the
# list takes at most a month).
LOOK_BACK = timedelta(days=1)
# A task is listed some minutes after it was made: absent sooner says nothing.
LISTED = timedelta(minutes=3)

# What a row of results says. Source: path/93338 (1 sent, 2 not a friend, 3 limit reached).
SENT = 1
REFUSED = {2: "not-a-friend", 3: "month-limit"}


def measure(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


LIMITS = Limits(
    text=TEXT,
    measure=measure,
    markup=Markup.PLAIN,
    buttons=False,
    # There is no key, but tasks can be listed and compared.
    doubt=Doubt.VERIFY,
    # Reminding and taking back change what is there.
    edits=True,
    owners=True,
)
