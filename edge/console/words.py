"""What the page says, in two languages."""

from __future__ import annotations

_BOTH: dict[str, tuple[str, str]] = {
    "title": ("电子封条", "Electronic seal"),
    "other": ("English", "中文"),
    "other_lang": ("en", "zh"),
    "loading": ("正在读取…", "Reading…"),
    "parts": ("各部分", "Parts"),
    "incidents": ("异常", "Incidents"),
    "sources": ("采集点", "Sources"),
    "records": ("记录与上传", "Records and delivery"),
    "code": ("编码", "Code"),
    "kind": ("类型", "Kind"),
    "age": ("最新数据", "Newest"),
    "figures": ("读数", "Figures"),
    "part": ("部分", "Part"),
    "verdict": ("状态", "Verdict"),
    "why": ("说明", "Why"),
    "level": ("级别", "Level"),
    "what": ("内容", "What"),
    "since": ("开始", "Since"),
    "until": ("结束", "Until"),
    "note": (
        "只读页面；命令只来自省级平台。",
        "Read-only. Orders come from the province alone.",
    ),
    "no_script": (
        "本页需要 JavaScript；数据见 /api/status 与 /api/incidents。",
        "This page needs JavaScript; its data is at /api/status and /api/incidents.",
    ),
}

WORDS: dict[str, dict[str, str]] = {
    language: {name: texts[index] for name, texts in _BOTH.items()}
    for index, language in enumerate(("zh", "en"))
}
