"""Links: finding them in a text and writing one address in one way."""

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

__all__ = ["canonical_url", "cut_links"]

# Starts only at the head of a run of host characters and repeats a bounded number of
# labels, so that no input makes it walk the same text twice.
_LINK = re.compile(
    r"https?://[a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+"
    r"|(?<![a-z0-9.@\-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|cn|net|org|gov|edu|info|tv|cc|tw|hk)"
    r"(?![a-z0-9-])(?::\d{1,5})?(?:/[a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?",
    re.IGNORECASE,
)
_MOBILE = ("m.", "mobile.", "wap.", "3g.", "www.")
# Parameters that say who shared a page, when and where, never which page it is.
_TRACKING = frozenset(
    (  # noqa: SIM905 - a list a reader can scan
        "from share share_token share_source shared_by scene timestamp isappinstalled clicktime "
        "enterid sharer_shareid sharer_sharetime sharer_shareinfo nettype pass_ticket ascene "
        "devicetype version lang session_us wx_header spm fbclid gclid igshid ref ref_src source "
        "refer wfr weibo_id luicode lfid featurecode"
    ).split()
)
# One page under several addresses, on the canonical form: (short or mobile form, full form).
# Short links that only their service can resolve (t.cn, v.douyin.com) stay as they are.
_FORMS = tuple(
    (re.compile(short), full)
    for short, full in (
        (r"youtu\.be/([\w-]+).*", r"youtube.com/watch?v=\1"),
        (r"youtube\.com/(?:shorts|live|embed)/([\w-]+).*", r"youtube.com/watch?v=\1"),
        (r"youtube\.com/watch\?(?:.*&)?v=([\w-]+).*", r"youtube.com/watch?v=\1"),
        (r"b23\.tv/((?:BV|av)\w+).*", r"bilibili.com/video/\1"),
        (r"bilibili\.com/video/((?:BV|av)\w+).*", r"bilibili.com/video/\1"),
        (r"weibo\.cn/(?:status|detail)/(\w+).*", r"weibo.cn/status/\1"),
        (r"toutiao\.com/(?:article/|video/|[aiw])(\d+).*", r"toutiao.com/article/\1"),
        (r"twitter\.com/(.*)", r"x.com/\1"),
        (r"(?:share\.)?douyin\.com/share/video/(\d+).*", r"douyin.com/video/\1"),
        (r"(?:iesdouyin|douyin)\.com/(?:share/)?video/(\d+).*", r"douyin.com/video/\1"),
        (r"kuaishou\.com/(?:short-video|photo|fw/photo)/(\w+).*", r"kuaishou.com/short-video/\1"),
    )
)
_DEFAULT_PORTS = {"80", "443", ""}
_TRAILING = ".,;:!?'\")]*"


def canonical_url(url: str) -> str:
    """One spelling per page: ``host/path?query`` without scheme, port, fragment or tracking.

    Idempotent. An address that cannot be parsed comes back lowered and stripped.
    """
    bare = url.strip()
    if "://" not in bare[:12]:
        bare = "http://" + bare
    try:
        parts = urlsplit(bare)
        host, port = (parts.hostname or "").rstrip("."), _port(parts.netloc)
    except ValueError:
        return url.strip().lower()
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _is_tracking(name)
    ]
    path = unquote(parts.path).rstrip("/").replace(" ", "%20")
    asked = "?" + urlencode(sorted(query)) if query else ""
    return _full_form(f"{_desktop(host)}{port}{path}{asked}")


def _full_form(address: str) -> str:
    for short, full in _FORMS:
        if (found := short.fullmatch(address)) is not None:
            return found.expand(full)
    return address


def cut_links(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with a space for every link, and the canonical links in order, each once."""
    found: dict[str, None] = {}

    def remember(match: re.Match[str]) -> str:
        found.setdefault(canonical_url(match.group().rstrip(_TRAILING)), None)
        return " "

    return _LINK.sub(remember, text), tuple(found)


def _is_tracking(name: str) -> bool:
    lowered = name.lower()
    return lowered in _TRACKING or lowered.startswith(("utm_", "share_", "wx_"))


def _port(netloc: str) -> str:
    port = netloc.rpartition("@")[2].rpartition(":")[2] if ":" in netloc else ""
    return "" if port in _DEFAULT_PORTS or not port.isdigit() else f":{port}"


def _desktop(host: str) -> str:
    # A second-level name must remain: "m.cn" is a site of its own.
    while (prefix := next((p for p in _MOBILE if host.startswith(p)), "")) and (
        "." in host[len(prefix) :]
    ):
        host = host[len(prefix) :]
    return host
